"""Reads a folder of essays and checks each file as the service upstream does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIN_CHARACTERS = 50
MAX_CHARACTERS = 50_000
MAX_FILES = 1_000
SPACING = frozenset("\t\n\r\f")


@dataclass(frozen=True)
class File:
    """One file as it was handed in."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Refusal:
    """Why a file is no essay, in the words of `EssayValidationFailed`."""

    code: str
    message: str


def read_folder(folder: Path) -> list[File]:
    """Return the files of a folder and of those in it, by name; hidden ones are left out.

    Raise `ValueError` when there is no such folder or no file in it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not found:
        raise ValueError(f"{folder} holds no files")
    return [File(path.name, path.read_bytes()) for path in found[:MAX_FILES]]


def check(body: bytes) -> str | Refusal:
    """Return the text of a file, or why it is none: 50 to 50 000 characters are an essay."""
    text = _text(body)
    if text is None:
        return Refusal("TEXT_EXTRACTION_FAILED", "the file is not text")
    length = len(text)
    if not length:
        return Refusal("EMPTY_CONTENT", "the file is empty")
    if length < MIN_CHARACTERS:
        return Refusal("CONTENT_TOO_SHORT", f"{length} characters; at least {MIN_CHARACTERS} are an essay")
    if length > MAX_CHARACTERS:
        return Refusal("CONTENT_TOO_LONG", f"{length} characters; at most {MAX_CHARACTERS} are an essay")
    return text


def _text(body: bytes) -> str | None:
    """Decode UTF-8, or what an old Windows editor saved; None for what has control characters."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")
    if any(character < " " and character not in SPACING for character in text) or "\ufffd" in text:
        return None
    return text.strip()
