"""Builds and deploys the template with the real SAM CLI."""

from __future__ import annotations

import compileall
import fcntl
import hashlib
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from dev.deploy.stack import Stack, client_of
from dev.programs.process import ServerError, run_to_end
from dev.programs.tools import ROOT, SAM, SHARED_LAYERS, environment, tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

STACK = "els"
BUILT = ROOT / ".aws-sam" / "build"
BUILT_FROM = ROOT / ".aws-sam" / "built-from"  # the digest of the sources that BUILT was made from
SOURCES = ("template.yaml", "samconfig.toml", "infra", "layers", "functions", "migrations")
BUILD_SECONDS = 600  # the first build downloads the SAM CLI and the packages
OUTPUT_LINES = 10  # of SAM, shown when it fails
# Seconds on the project's local AWS; on LocalStack up to 100 s, and longer where it downloads an image first.
DEPLOY_SECONDS = 600
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def validate() -> None:
    """Lint the template."""
    _sam(BUILD_SECONDS, "validate", "--lint")


def architecture() -> str:
    """Return what to build for: ARCH as `make build ARCH=arm64` sets it, else this machine's own."""
    wanted = os.environ.get("ARCH", os.uname().machine)
    if wanted not in ARCHITECTURES:
        raise ServerError(f"ARCH is {wanted}: expected x86_64 or arm64")
    return ARCHITECTURES[wanted]


def build() -> None:
    """Build functions and layers, and compile their layers: in a Lambda, Python cannot write bytecode."""
    with build_lock():
        _build()


@contextmanager
def built() -> Iterator[Path]:
    """Build, and yield a copy from which functions can run while a later build empties the original."""
    folder = Path(mkdtemp(prefix="run-", dir=_made(BUILT.parent)))
    try:
        with build_lock():
            _build()
            shutil.copytree(BUILT, folder / "build", copy_function=os.link)
        yield folder / "build"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def state_of(root: Path) -> str:
    """Return a digest of everything that a build depends on: sources, SAM CLI and interpreter."""
    digest = hashlib.sha256(f"{SAM} {sys.version} {architecture()}".encode())
    for source in (root / name for name in SOURCES):
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(root)} {path.stat().st_mode}\n".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _build() -> None:
    """Build, unless there is a complete build of the same sources."""
    state = state_of(ROOT)
    if BUILT_FROM.exists() and BUILT_FROM.read_text() == state and (BUILT / "template.yaml").exists():
        return
    BUILT_FROM.unlink(missing_ok=True)
    chosen = ["--build-dir", str(BUILT), "--parameter-overrides", f"Architecture={architecture()}"]
    _sam(BUILD_SECONDS, "build", *chosen)
    _fix_architecture()
    _compile()
    BUILT_FROM.write_text(state)


def _fix_architecture() -> None:
    """Make the architecture of the build the only one that it can be deployed with."""
    template = yaml.safe_load((BUILT / "template.yaml").read_text())
    template["Parameters"]["Architecture"] |= {"Default": architecture(), "AllowedValues": [architecture()]}
    (BUILT / "template.yaml").write_text(yaml.safe_dump(template, sort_keys=False))


def _compile() -> None:
    for layer in SHARED_LAYERS:
        python = BUILT / layer / "python"
        compileall.compile_dir(
            python,
            stripdir=str(python),
            prependdir="/opt/python",
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
            quiet=1,
        )


def deploy(
    endpoint: str,
    parameters: Mapping[str, str],
    *,
    name: str = STACK,
    template: Path = BUILT / "template.yaml",
    server_log: Callable[[], str] = str,
) -> Stack:
    """Deploy a build to an endpoint; raise `ServerError` with what failed and the end of the server's log."""
    overrides = [f"{key}={value}" for key, value in parameters.items()]
    chosen = ["--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(template)]
    options = [*chosen, "--stack-name", name, "--parameter-overrides", *overrides]
    with build_lock():
        try:
            _sam(DEPLOY_SECONDS, "deploy", *options, AWS_ENDPOINT_URL=endpoint)
        except ServerError as error:
            causes = "\n".join(failed_resources(endpoint, name))
            message = f"The resources that failed:\n{causes}\nThe last log lines of the local AWS:\n"
            raise ServerError(f"{error}\n{message}{server_log()}") from None
    [stack] = client_of(endpoint, "cloudformation").describe_stacks(StackName=name)["Stacks"]
    return Stack(endpoint, {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])})


def failed_resources(endpoint: str, name: str) -> list[str]:
    """Return each resource of a stack that could not be made, with CloudFormation's reason."""
    try:
        answer = client_of(endpoint, "cloudformation").describe_stack_events(StackName=name)
    except (BotoCoreError, ClientError) as error:
        return [f"unknown: {error}"]
    return [
        f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', 'no reason given')}"
        for each in reversed(answer["StackEvents"])
        if each["ResourceStatus"].endswith("_FAILED")
    ]


@contextmanager
def build_lock() -> Iterator[None]:
    """Lock the build folder: a build that empties it during another deployment would ship empty layers."""
    with (_made(BUILT.parent) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _sam(seconds: float, action: str, *arguments: str, **more: str) -> None:
    variables = environment(SAM_CLI_TELEMETRY="0", **more)
    try:
        run_to_end([*tool("sam", *SAM), action, *arguments], seconds, cwd=ROOT, environment=variables)
    except ServerError as error:
        # SAM prints a line per uploaded megabyte and per resource; the reason is at the end.
        first, *rest = str(error).splitlines()
        raise ServerError("\n".join([f"sam {action} {first[:200]}", *rest[-OUTPUT_LINES:]])) from None
