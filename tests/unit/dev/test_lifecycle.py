"""A lifecycle closes what it has opened, whatever happens in between."""

from __future__ import annotations

import pytest

from dev.programs.lifecycle import Lifecycle


class Server(Lifecycle):
    def __init__(self, failure: BaseException | None = None) -> None:
        self.calls: list[str] = []
        self._failure = failure

    def _open(self) -> None:
        self.calls.append("open")
        if self._failure:
            raise self._failure

    def close(self) -> None:
        self.calls.append("close")


def test_it_is_open_inside_and_closed_outside() -> None:
    with Server() as server:
        assert server.calls == ["open"]
    assert server.calls == ["open", "close"]


def test_it_is_closed_after_a_failure_inside() -> None:
    server = Server()
    with pytest.raises(ZeroDivisionError), server:
        raise ZeroDivisionError
    assert server.calls == ["open", "close"]


@pytest.mark.parametrize("failure", [OSError("no port"), KeyboardInterrupt()])
def test_it_is_closed_when_opening_fails_or_is_interrupted(failure: BaseException) -> None:
    server = Server(failure)
    with pytest.raises(type(failure)):
        server.open()
    assert server.calls == ["open", "close"]
