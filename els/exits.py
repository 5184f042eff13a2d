"""How a command of `els` ends."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes, for scripts."""

    DONE = 0
    WRONG = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNREACHABLE = 5
    NOT_ALLOWED = 6


class StopError(Exception):
    """Ends the command with this exit code; the message is for the person at the shell."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code


# What a status of HTTP means for the one who asked; any other one is WRONG.
_OF_STATUS = {
    400: ExitCode.USAGE,
    401: ExitCode.NOT_ALLOWED,
    403: ExitCode.NOT_ALLOWED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.REFUSED,
    412: ExitCode.REFUSED,
    422: ExitCode.REFUSED,
    429: ExitCode.UNREACHABLE,
    502: ExitCode.UNREACHABLE,
    503: ExitCode.UNREACHABLE,
    504: ExitCode.UNREACHABLE,
}


def exit_code_of(status: int) -> ExitCode:
    """Return the exit code for a status of HTTP."""
    if status < 400:  # noqa: PLR2004 - the first status of an error
        return ExitCode.DONE
    return _OF_STATUS.get(status, ExitCode.WRONG)
