"""The built functions, once per worker, in a copy that the build of another worker does not empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dev.deploy import sam

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def built() -> Iterator[Path]:
    with sam.built() as folder:
        yield folder
