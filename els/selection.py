"""The language of `--where`: 'stuck and org=o1', which are the filters of `GET /batches`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from els.exits import ExitCode, StopError

if TYPE_CHECKING:
    from collections.abc import Mapping

FLAGS = ("stuck", "parked")
# What may stand before the =, and the filter of the API that it means.
FILTERS = {
    "status": "status",
    "user": "user_id",
    "org": "org_id",
    "course": "course_code",
    "created_after": "created_after",
}
_TERM = re.compile(r"(\w+)(?:\s*=\s*([\w.:+-]+))?")


def read_where(text: str) -> Mapping[str, str]:
    """Return the filters of the API; raise `StopError` for a term that it does not know, or one twice."""
    filters: dict[str, str] = {}
    for term in re.split(r"\s+and\s+", text.strip()):
        name, value = _filter(term)
        if name in filters:
            raise StopError(ExitCode.USAGE, f"--where names {name} twice: a batch has only one")
        filters[name] = value
    return filters


def _filter(term: str) -> tuple[str, str]:
    match = _TERM.fullmatch(term.strip())
    name, value = match.groups() if match else ("", None)
    if name in FLAGS and value is None:
        return name, "true"
    if name in FILTERS and value is not None:
        return FILTERS[name], value
    known = ", ".join([*FLAGS, *(f"{each}=..." for each in FILTERS)])
    raise StopError(ExitCode.USAGE, f"--where is not understood: join with 'and' any of {known}")
