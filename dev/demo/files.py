"""Reads a folder of essays and validates each file as the file service upstream does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIN_CHARACTERS = 50
MAX_CHARACTERS = 50_000
MAX_FILES = 1_000
WHITE_SPACE = frozenset("\t\n\r\f")


@dataclass(frozen=True)
class File:
    """One file as it was handed in."""

    name: str
    body: bytes


@dataclass(frozen=True)
class ValidationFailure:
    """Why a file is not an essay, in the fields of `EssayValidationFailed`."""

    code: str
    message: str


def read_folder(folder: Path) -> list[File]:
    """Return the files of a folder and its subfolders, sorted by path; hidden files are left out.

    Raise `ValueError` when the folder does not exist or has no files.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder: name one with ESSAYS=folder")
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not found:
        raise ValueError(f"{folder} has no files: name another folder with ESSAYS=folder")
    return [File(path.name, path.read_bytes()) for path in found[:MAX_FILES]]


def validate(body: bytes) -> str | ValidationFailure:
    """Return the text of a file, or why it is not an essay; an essay has 50 to 50 000 characters."""
    text = _decode(body)
    if text is None:
        return ValidationFailure("TEXT_EXTRACTION_FAILED", "the file is not text")
    length = len(text)
    if not length:
        return ValidationFailure("EMPTY_CONTENT", "the file is empty")
    if length < MIN_CHARACTERS:
        return ValidationFailure(
            "CONTENT_TOO_SHORT", f"{length} characters, at least {MIN_CHARACTERS} needed"
        )
    if length > MAX_CHARACTERS:
        return ValidationFailure("CONTENT_TOO_LONG", f"{length} characters, at most {MAX_CHARACTERS} allowed")
    return text


def _decode(body: bytes) -> str | None:
    """Decode UTF-8, else Windows-1252; return None for what has control characters."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")
    if any(character < " " and character not in WHITE_SPACE for character in text) or "\ufffd" in text:
        return None
    return text.strip()
