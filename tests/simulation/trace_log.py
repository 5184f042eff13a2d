"""What happened in a world, line by line, written out only when somebody wants to read it."""

from __future__ import annotations


class Story:
    """Keeps lines as they were told."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str, tuple[object, ...]]] = []

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, who: str, what: str, about: tuple[object, ...]) -> None:
        """Add a line; `about` is put into `what` when it is read."""
        self._lines.append((who, what, about))

    def read(self) -> list[str]:
        """Return the lines, each with who did it."""
        return [f"{who or 'world':14} {what.format(*about)}" for who, what, about in self._lines]
