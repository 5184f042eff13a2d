"""What the deployment tools make of the template, asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dev.deploy.introspection import ask_sam

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(scope="session")
def translated() -> dict[str, Any]:
    """Return the template as SAM translates it for CloudFormation."""
    return ask_sam().translated


@pytest.fixture(scope="session")
def made(translated: dict[str, Any]) -> Mapping[str, Any]:
    """Return the resources of the translated template."""
    resources: Mapping[str, Any] = translated["Resources"]
    return resources
