"""The Redis keys in memory know every key by name, and no other name."""

from __future__ import annotations

import pytest

from els_core.adapters.redis import keys
from tests.fakes.batch_keys import BatchKeys


@pytest.mark.parametrize("name", keys.ALL)
def test_every_key_can_be_deleted(name: str) -> None:
    stored = BatchKeys({"essay"}, {}, {"content": "essay"}, {"failure": "essay"}, times_out=2.0)
    stored.delete(name)
    assert name not in stored.expiry_times(1.0)


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValueError, match="'slots' is no key of a batch"):
        BatchKeys().delete("slots")
