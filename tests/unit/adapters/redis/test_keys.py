"""All keys of a batch lie on one cluster slot, whatever its id."""

from __future__ import annotations

import pytest
from redis.crc import key_slot

from els_core.adapters.redis import keys


@pytest.mark.fault(17)
@pytest.mark.parametrize("batch_id", ["b", "a:b", "x" * 128])
def test_all_keys_of_a_batch_have_the_same_hash_slot(batch_id: str) -> None:
    assert len({key_slot(keys.key(batch_id, name).encode()) for name in keys.ALL}) == 1


def test_every_key_has_a_name_of_its_own() -> None:
    assert len(set(keys.ALL)) == len(keys.ALL) == 6
