"""The trace of a run. Lines are formatted only when they are read, because most runs are not."""

from __future__ import annotations


class TraceLog:
    """A list of lines, each with the task that wrote it."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str, tuple[object, ...]]] = []

    def __len__(self) -> int:
        return len(self._lines)

    def append(self, task: str, text: str, values: tuple[object, ...]) -> None:
        """Append a line; `values` fill the placeholders of `text`."""
        self._lines.append((task, text, values))

    def lines(self) -> list[str]:
        """Return the lines, each beginning with its task."""
        return [f"{task or 'environment':14} {text.format(*values)}" for task, text, values in self._lines]
