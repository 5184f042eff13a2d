"""Page tokens: positions as opaque text. One that this service did not make is refused, whatever it holds."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from els_core.application.ports.history import FoundKind, FoundPosition, HistoryPosition
from els_core.application.ports.reading import ItemPosition, ListPosition

NOT_VALID = "the page token is not valid: take it from next_page_token of an answer to the same request"
_MOMENT = TypeAdapter(AwareDatetime)
MAX_EPOCH = 2**31 - 1
MAX_KEY = 140  # characters of an identity, whose longest prefix is `content:`


class PageTokenError(ValueError):
    """The page token is not one that this service made."""


def list_token(position: ListPosition | None) -> str | None:
    """Return the token of a page of batches."""
    return _token("list", position.created_at.isoformat(), position.batch_id) if position else None


def list_position(token: str | None) -> ListPosition | None:
    """Return where a page of batches begins; raise `PageTokenError` for a token that is not valid."""
    match _parts("list", token):
        case None:
            return None
        case [str(created_at), str(batch_id)] if _is_key(batch_id):
            return ListPosition(_moment(created_at), batch_id)
        case _:
            raise PageTokenError(NOT_VALID)


def item_token(position: ItemPosition | None) -> str | None:
    """Return the token of a page of a batch's items; it names the epoch, in which they do not move."""
    return _token("items", position.epoch, position.section, position.after) if position else None


def item_position(token: str | None) -> ItemPosition | None:
    """Return where a page of items begins; raise `PageTokenError` for a token that is not valid."""
    match _parts("items", token):
        case None:
            return None
        case [int(epoch), int(section), str(after)] if (
            _is_number(epoch, 1, MAX_EPOCH) and _is_number(section, 1, 3) and _is_key(after)
        ):
            return ItemPosition(epoch, section, after)
        case _:
            raise PageTokenError(NOT_VALID)


def history_token(position: HistoryPosition | None) -> str | None:
    """Return the token of a page of a history."""
    return _token("history", position.at.isoformat(), position.section, position.key) if position else None


def history_position(token: str | None) -> HistoryPosition | None:
    """Return where a page of a history begins; raise `PageTokenError` for a token that is not valid."""
    match _parts("history", token):
        case None:
            return None
        case [str(at), int(section), str(key)] if _is_number(section, 1, 99) and _is_key(key):
            return HistoryPosition(_moment(at), section, key)
        case _:
            raise PageTokenError(NOT_VALID)


def found_token(position: FoundPosition | None) -> str | None:
    """Return the token of a page of finds."""
    return _token("found", position.batch_id, position.kind, position.identity) if position else None


def found_position(token: str | None) -> FoundPosition | None:
    """Return where a page of finds begins; raise `PageTokenError` for a token that is not valid."""
    match _parts("found", token):
        case None:
            return None
        case [str(batch_id), str(kind), str(identity)] if (
            _is_key(batch_id) and kind in set(FoundKind) and _is_key(identity)
        ):
            return FoundPosition(batch_id, FoundKind(kind), identity)
        case _:
            raise PageTokenError(NOT_VALID)


def _token(*parts: str | int) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode()


def _parts(kind: str, token: str | None) -> Any:
    """Return what a token of this kind holds, None without one."""
    if token is None:
        return None
    try:
        found = json.loads(urlsafe_b64decode(token.encode()))
    except (ValueError, RecursionError) as error:
        raise PageTokenError(NOT_VALID) from error
    match found:
        case [first, *parts] if first == kind:
            return parts
        case _:
            raise PageTokenError(NOT_VALID)


def _is_number(value: int, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most  # JSON's true equals 1


def _is_key(text: str) -> bool:
    return len(text) <= MAX_KEY and text.isascii() and text.isprintable()


def _moment(text: str) -> datetime:
    try:
        return _MOMENT.validate_python(text)
    except ValidationError as error:
        raise PageTokenError(NOT_VALID) from error
