"""Whatever Redis holds or answers, every outcome is right, and the next event repairs Redis."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from dev.servers.valkey import ValkeyServer
from els_core.adapters.redis import connection as redis_connection
from els_core.adapters.redis import keys
from els_core.adapters.redis.coordinator import RedisCoordinator
from els_core.adapters.redis.keys import key
from els_core.domain.arrivals import content_identity
from els_core.domain.audit import CoordinatorView
from els_core.domain.batches import Status
from els_core.domain.errors import ExternalServiceError
from els_core.domain.outcomes import Duplicate
from tests.factories import content, failure, registration
from tests.integration.arbitrary_replies import arbitrary_reply
from tests.integration.environment import RETENTION, Environment
from tests.integration.reconciliation import assert_rows_are_consistent
from tests.integration.redis_stubs import Forwarder, RedisStub, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from els_core.domain.arrivals import Arrival

ODD_VALUES = (
    *(b"1000000", b"inf", b"-1", b"nan", b"QUEUED", b"9" * 40, b"9" * 15, b"1e999", b"1e10", b"0x1f", b""),
    *(b"\x00", b"essay-0000\x00", b"\xff\xfe", b"essay-0000", b"essay-9999"),
)
# An error and the code or the class that the fault names.
ERRORS = (
    ("READONLY You can't write against a read only replica.", "ReadOnlyError"),
    ("LOADING Valkey is loading the dataset in memory", "BusyLoadingError"),
    ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "MasterDownError"),
    ("NOAUTH Authentication required.", "AuthenticationError"),
    ("NOPERM User default has no permissions to run the 'evalsha' command", "NoPermissionError"),
    ("BUSY Valkey is busy running a script.", "BUSY"),
    ("ERR unknown command 'EVALSHA', with args beginning with:", "ResponseError"),
    ("DENIED Valkey is running in protected mode", "DENIED"),
    ("SOMETHING that no version says today", "SOMETHING"),
)


@pytest.fixture
def raw(valkey: ValkeyServer) -> Iterator[Redis]:
    """Return a client that speaks bytes."""
    with Redis(port=valkey.port) as client:
        yield client


def overwrite(raw: Redis, batch_id: str, name: str, odd: bytes) -> None:
    """Replace a key of a batch by one of the right type that holds an odd value."""
    target = key(batch_id, name)
    if name != keys.METADATA:
        raw.delete(target)
    match name:
        case keys.AVAILABLE_SLOTS:
            raw.sadd(target, odd)
        case keys.ASSIGNMENTS:
            raw.hset(target, mapping={b"essay-0000": odd, odd: b"a"})
        case keys.CONTENTS:
            raw.hset(target, mapping={b"a": odd, b"b": odd, odd: b"essay-0001"})
        case keys.FAILURES:
            raw.hset(target, mapping={b"upload:f": odd, odd: b"essay-0001"})
        case keys.METADATA:
            raw.hset(target, mapping={b"version": odd})
        case _:
            raw.set(target, odd)


def assert_redis_is_right(environment: Environment, batch_id: str) -> None:
    """Assert that Redis knows the open batch exactly as Postgres has it."""
    [view] = RedisCoordinator(environment.redis, RETENTION).inspect([batch_id])
    snapshot = environment.snapshot(batch_id)
    used = {content_identity(slot.text_storage_id): slot.essay_id for slot in snapshot.assigned}
    used |= {one.identity: one.essay_id for one in snapshot.slot_failures}
    assert isinstance(view, CoordinatorView)
    assert (view.available, view.slot_by_identity) == (frozenset(snapshot.available), used)
    assert view.version <= snapshot.batch.version


def close(environment: Environment, batch_id: str) -> None:
    """Use the last slot, and assert that the batch has its final result."""
    last = [content("last", batch_id), content("none left", batch_id)]
    assert environment.outcomes(*last) == {"assigned": 1, "excess": 1}
    assert environment.snapshot(batch_id).batch.status is Status.READY


@pytest.mark.fault(26)
@pytest.mark.fault(29)
@pytest.mark.parametrize("name", keys.ALL)
def test_an_odd_value_in_any_key_changes_no_outcome_and_the_next_event_repairs_redis(
    environment: Environment, raw: Redis, name: str
) -> None:
    for odd in ODD_VALUES:
        batch_id = f"b-{odd.hex()}"
        environment.register(registration(5, batch_id))
        environment.provision(content("a", batch_id), failure("e", batch_id))
        overwrite(raw, batch_id, name, odd)
        arrivals: list[Arrival] = [content("a", batch_id), content("b", batch_id)]
        arrivals += [failure("e", batch_id), failure("f", batch_id)]
        assert environment.outcomes(*arrivals) == {"duplicate": 2, "assigned": 1, "failed": 1}, odd
        assert_redis_is_right(environment, batch_id)
        close(environment, batch_id)
    assert environment.bus.event_counts()["BatchEssaysReady"] == len(ODD_VALUES)


@pytest.mark.fault(26)
def test_a_deadline_in_redis_that_makes_no_sense_changes_no_outcome(
    environment: Environment, raw: Redis
) -> None:
    for odd in ODD_VALUES:
        batch_id = f"b-{odd.hex()}"
        environment.register(registration(3, batch_id))
        raw.hset(key(batch_id, keys.METADATA), mapping={b"deadline": odd})
        arrivals: list[Arrival] = [content("a", batch_id), failure("f", batch_id), content("a", batch_id)]
        assert environment.outcomes(*arrivals) == {"assigned": 1, "failed": 1, "duplicate": 1}, odd
        assert_redis_is_right(environment, batch_id)
        close(environment, batch_id)


@pytest.mark.fault(26)
@pytest.mark.parametrize("first_seed", range(0, 200, 50))
def test_arbitrary_bytes_in_every_position_of_a_reply_change_no_outcome(
    database_url: str, monkeypatch: pytest.MonkeyPatch, first_seed: int
) -> None:
    monkeypatch.setattr(redis_connection, "ANSWER_SECONDS", 0.2)
    dice = Random()  # noqa: S311 - a repeatable sequence
    faults = 0

    def reply(command: list[bytes]) -> Reply:
        arrivals = json.loads(command[8]) if command[2] == b"5" else []
        return arbitrary_reply(dice, len(arrivals))

    with RedisStub(reply) as stub:
        environment = Environment(database_url, stub.url)
        for seed in range(first_seed, first_seed + 50):
            dice.seed(seed)
            faults += deliver_until_decided(environment, f"batch-{seed}", dice)
        assert_rows_are_consistent(environment.engine)
        assert environment.bus.event_counts()["BatchEssaysReady"] == 50
        assert faults, "no reply of these seeds was an error"
        environment.close()


def deliver_until_decided(environment: Environment, batch_id: str, dice: Random) -> int:
    """Deliver arrivals again until none meets a fault; assert their outcomes, return the number of faults."""
    environment.register(registration(6, batch_id))
    pending: list[Arrival] = [content(f"c{n}", batch_id) for n in range(5)]
    pending += [failure(f"f{n}", batch_id) for n in range(3)]
    dice.shuffle(pending)
    first: Counter[str] = Counter()
    faults = 0
    for arrivals in (pending[:3], pending[2:6], pending[5:], pending):
        for _ in range(100):
            try:
                outcomes = environment.provision(*arrivals).outcomes
            except ExternalServiceError:
                faults += 1
                continue
            assert all(isinstance(one, Duplicate) for one in outcomes) or arrivals is not pending
            first.update(type(one).__name__ for one in outcomes if not isinstance(one, Duplicate))
            break
    assert first["Assigned"] + first["Failed"] == 6
    assert first.total() == 8, first
    return faults


@pytest.mark.fault(27)
@pytest.mark.fault(28)
@pytest.mark.parametrize(("error", "named"), ERRORS)
def test_an_error_is_a_fault_and_the_next_call_reaches_the_server_that_is_there_now(
    database_url: str, valkey: ValkeyServer, error: str, named: str
) -> None:
    with RedisStub(lambda _: Reply(f"-{error}\r\n".encode())) as sick, Forwarder(sick.port) as address:
        environment = Environment(database_url, address.url)
        environment.register(registration(2))
        with pytest.raises(ExternalServiceError, match=rf"Redis is unavailable.*\({named}\)"):
            environment.provision(content("a"))
        assert environment.snapshot().assigned == ()
        address.target = valkey.port
        assert environment.outcomes(content("a"), failure("f")) == {"assigned": 1, "failed": 1}
        environment.close()


@pytest.mark.fault(27)
def test_after_a_failover_behind_one_address_the_next_call_reaches_the_new_primary(
    database_url: str, valkey: ValkeyServer
) -> None:
    with ValkeyServer() as old, Forwarder(old.port) as address:
        environment = Environment(database_url, address.url)
        environment.register(registration(3))
        assert environment.outcomes(content("a")) == {"assigned": 1}
        old.follow(valkey)
        address.target = valkey.port
        with pytest.raises(ExternalServiceError, match="ReadOnlyError"):
            environment.provision(content("b"))
        assert environment.outcomes(content("b"), failure("f")) == {"assigned": 1, "failed": 1}
        environment.close()
