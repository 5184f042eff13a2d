"""Tools that run in environments of their own, because their requirements conflict with the project's."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAM = ("aws-sam-cli==1.170.0",)
OPENAPI_VALIDATOR = "openapi-spec-validator==0.7.2"
MINISTACK = ("ministack==1.5.33", "aws-sam-translator")
# Both pinned: a new rule of theirs must be a change of ours. cfn-lint is newer than the one in the SAM CLI.
CFN_LINT = ("cfn-lint==1.58.0",)
CHECKOV = ("checkov==3.3.30",)
REGION = "eu-north-1"
MARK = "ELS_RUN"  # the environment variable that marks every process of one demo
# Variables by which programs, packages and temporary folders are found.
INHERITED = (
    *("PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", MARK),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy"),
    *("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_CACHE_DIR"),
    *("PIP_INDEX_URL", "PIP_CERT"),
)


def uv() -> str:
    """Return the path of uv: the one that UV names, the project's own, or the one on the PATH."""
    own = ROOT / ".uv" / "bin" / "uv"
    found = os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))
    if found is None:
        raise FileNotFoundError("uv is not installed: run make setup")
    return found


def tool(program: str, package: str, *beside: str) -> list[str]:
    """Return the command line that runs a program of a package from PyPI."""
    extra = [part for requirement in beside for part in ("--with", requirement)]
    return [uv(), "tool", "run", "--python", sys.executable, "--from", package, *extra, program]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child process: what locates programs, nothing that configures them."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    interpreter = str(Path(sys.executable).parent)
    return inherited | credentials | {"PATH": f"{interpreter}:{inherited.get('PATH', '')}"} | more
