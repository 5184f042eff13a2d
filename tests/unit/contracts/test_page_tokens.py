"""Page tokens name positions; one that this service did not make is refused, whatever it holds."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import pytest

from els_core.application.ports.history import FoundKind, FoundPosition, HistoryPosition
from els_core.application.ports.reading import ItemPosition, ListPosition
from els_core.contracts import page_tokens
from els_core.contracts.page_tokens import PageTokenError
from tests.factories import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: dict[str, tuple[object, Callable[..., str | None], Callable[[str | None], object]]] = {
    "list": (ListPosition(NOW, "b"), page_tokens.list_token, page_tokens.list_position),
    "items": (ItemPosition(2, 3, "upload:f"), page_tokens.item_token, page_tokens.item_position),
    "history": (HistoryPosition(NOW, 11, "k"), page_tokens.history_token, page_tokens.history_position),
    "found": (FoundPosition("b", FoundKind.UPLOAD, ""), page_tokens.found_token, page_tokens.found_position),
}


def made(*parts: object) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_names_its_position_and_no_token_none(kind: str) -> None:
    position, token, read = KINDS[kind]
    assert read(token(position)) == position
    assert (token(None), read(None)) == (None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_of_another_list_is_refused(kind: str) -> None:
    for other in KINDS.keys() - {kind}:
        position, token, _ = KINDS[other]
        with pytest.raises(PageTokenError):
            KINDS[kind][2](token(position))


FORGED: dict[str, list[list[object]]] = {
    "list": [
        ["list"],
        ["list", "now", "b"],
        ["list", "2026-01-31T12:00:00", "b"],
        ["list", NOW.isoformat(), "\x00"],
    ],
    "items": [
        ["items", 0, 1, "a"],
        ["items", True, 1, "a"],
        ["items", 2**31, 1, "a"],
        ["items", 1, 4, "a"],
        ["items", 1, 1, "a" * 141],
        ["items", 1, 1, "\x00"],
        ["items", 1.0, 1, "a"],
    ],
    "history": [
        ["history", NOW.isoformat(), 0, "k"],
        ["history", "2026-13-01T00:00:00Z", 1, "k"],
        ["history", 1, 1],
    ],
    "found": [["found", "b", "else", ""], ["found", "b", "upload", "\x00"], ["found", {}, [], None]],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_token_is_refused(kind: str) -> None:
    tokens = [made(*parts) for parts in FORGED[kind]]
    for token in (*tokens, "", "x", "%%%", "W10=", "bnVs", urlsafe_b64encode(b"[" * 100_000).decode()):
        with pytest.raises(PageTokenError, match="page token"):
            KINDS[kind][2](token)
