"""Which deployment a command speaks to: the one that is named, else the demo that was left running."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from els.exits import ExitCode, StopError

# Where `make demo KEEP=1` writes down what is left running, seen from the root of the checkout.
SESSION_FILE = Path(".local", "demo-session.json")
_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$")
NO_TARGET = (
    "no deployment is named and no demo is kept: give --api URL or ELS_API (the output ApiUrl of the stack), "
    "or run make demo KEEP=1"
)


@dataclass(frozen=True, slots=True)
class Target:
    """The URL of an API, and how its requests are signed.

    `host` is the Host header by which a local AWS routes. `region` is None where the AWS profile names it.
    """

    url: str
    host: str | None = None
    region: str | None = None
    profile: str | None = None
    is_demo: bool = False

    def __str__(self) -> str:
        if self.is_demo:
            return f"the kept demo at {self.url}"
        return f"{self.url} (AWS profile {self.profile})" if self.profile else self.url


def find_target(
    api: str | None, profile: str | None, region: str | None, start: Path | None = None
) -> Target:
    """Return the deployment that is named, else the demo kept in this folder or one above it."""
    if api is None:
        kept = _session_file(start or Path.cwd())
        if kept is None:
            raise StopError(ExitCode.USAGE, NO_TARGET)
        return _demo(kept)
    parts = urlsplit(api)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise StopError(ExitCode.USAGE, "the URL of the API is not valid: expected https://host[/path]")
    found = _REGION.search(parts.hostname)
    return Target(api.rstrip("/"), None, region or (found.group(1) if found else None), profile)


def _session_file(folder: Path) -> Path | None:
    candidates = (each / SESSION_FILE for each in (folder, *folder.parents))
    return next((each for each in candidates if each.is_file()), None)


def _demo(session_file: Path) -> Target:
    """Return the API of a kept demo; the local AWS checks no signature and routes by the Host header."""
    try:
        environment = json.loads(session_file.read_text("utf-8"))["environment"]
        endpoint, api_id = environment["endpoint"], environment["outputs"]["ApiId"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"{session_file} says nothing of a running demo: run make demo-stop, then make demo KEEP=1"
        raise StopError(ExitCode.USAGE, message) from error
    host = f"{api_id}.execute-api.localhost:{urlsplit(endpoint).port}"
    return Target(endpoint, host, "eu-north-1", is_demo=True)
