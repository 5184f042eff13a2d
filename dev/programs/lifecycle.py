"""What is opened and closed: the context manager of every server, in one place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Lifecycle(ABC):
    """Opens on entry; closes on exit, and also when opening fails or is interrupted."""

    @abstractmethod
    def _open(self) -> None:
        """Acquire everything; it may fail half-way."""

    @abstractmethod
    def close(self) -> None:
        """Release whatever was acquired, all of it or a part; closing twice does nothing."""

    def open(self) -> Self:
        """Open, or close again and raise what went wrong."""
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()
