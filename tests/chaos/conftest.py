"""The built functions, once per worker, in a copy that the build of another worker does not empty.

What runs them needs the emulator of the Lambda runtime, and is skipped where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dev.deploy import sam
from dev.servers.lambda_runtime import why_no_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def built() -> Iterator[Path]:
    if (reason := why_no_emulator()) is not None:
        pytest.skip(reason)
    with sam.built() as folder:
        yield folder
