"""After an erasure no store holds a name, a text or a user of the batch, and all else is as it was."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Text, text
from sqlalchemy.dialects.postgresql import JSONB

from els.main import main
from els_core.adapters.postgres.personal_data import PostgresPersonalData
from els_core.adapters.postgres.session import Session
from els_core.adapters.postgres.statements import read_statements
from els_core.application.announce_batch import AnnounceBatch
from els_core.application.commands import Door, Sender
from els_core.application.erase_batches import EraseBatches, Erasure
from els_core.contracts.event_encoder import JsonEventEncoder
from els_core.domain.commands import Close
from migrations.tables import METADATA
from tests.factories import command_request, content, failure, registration
from tests.integration.lambda_functions import call, example_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from els_core.application.publish_outbox import PublishOutbox
    from tests.integration.environment import Environment
    from tests.integration.lambda_functions import DeadLetterQueue

MARK = "PERSONAL"
QUOTED = f'{MARK} "said" \\ and {{"user_id": "left"}}'
ACTOR, REASON = "operator", "request 17"
DETAILS: dict[str, Any] = {
    "user_id": MARK,
    "org_id": MARK,
    "class_id": MARK,
    "essay_instructions": QUOTED,
    "student_prompt_ref": MARK,
}
# Text that says nothing about a person: ids that other services gave, words of this one, the trail itself.
KEPT = {
    "batches": {"batch_id", "status", "fingerprint", "course_code", "correlation_id", "announced_digest"},
    "essays": {
        *("batch_id", "essay_id", "status"),
        *("text_storage_id", "file_upload_id", "failure_identity", "supersedes"),
    },
    "validation_failures": {
        *("batch_id", "identity", "essay_id", "late_reason"),
        *("event_id", "error_code", "file_upload_id", "supersedes"),
    },
    "excess_contents": {
        *("batch_id", "text_storage_id", "reason"),
        *("file_upload_id", "correlation_id", "supersedes"),
    },
    "parked_arrivals": {"batch_id", "identity", "arrival"},  # the rows are deleted
    "outbox": {"batch_id", "detail_type", "detail"},  # no event of the batch waits in it
    "batch_epochs": {"batch_id", "status", "ended_by", "detail_type", "digest"},
    "superseded_arrivals": {"batch_id", "identity", "by_identity", "by_command", "essay_id"},
    "batch_commands": {
        *("batch_id", "command_id", "door", "source", "command"),
        *("body", "fingerprint", "answer", "refusal"),  # ids and numbers, and neither who nor why
    },
    "rejected_registrations": {"batch_id", "fingerprint"},  # and which fields differed, not how
    "job_runs": {"job"},
    "erasures": {"batch_id", "actor", "reason"},
}


def end_a_batch(environment: Environment, batch_id: str = "b") -> None:
    """Let a batch end with an essay, a failure, an excess content and a late failure, each with names.

    A content is superseded before, and a command comes afterwards.
    """
    plain = registration(2, batch_id)
    environment.register(replace(plain, details=replace(plain.details, **DETAILS)))
    named: dict[str, Any] = {"original_file_name": QUOTED, "raw_file_storage_id": MARK}
    first = replace(content("first", batch_id), content_md5_hash=MARK, **named)
    environment.provision(first)
    for name, supersedes in (("a", first.identity), ("late", None)):
        environment.provision(
            replace(content(name, batch_id, supersedes=supersedes), content_md5_hash=MARK, **named),
            replace(failure(name, batch_id), error_message=QUOTED, **named),
        )
    sender = Sender(Door.BUS, "operations", MARK)
    command = replace(command_request(Close(), batch_id=batch_id), sender=sender, reason=QUOTED)
    environment.steer_batch.steer([command])


@pytest.fixture
def ended(environment: Environment) -> Environment:
    end_a_batch(environment)
    return environment


def erase(environment: Environment, *batch_ids: str) -> Mapping[str, Erasure]:
    personal_data = PostgresPersonalData(Session(environment.engine))
    use_case = EraseBatches(personal_data, environment.repository, environment.coordinator, environment.clock)
    return use_case.erase(batch_ids, ACTOR, REASON)


def stored(environment: Environment) -> Iterator[str]:
    """Yield everything that the stores hold, row by row and key by key."""
    with environment.engine.connect() as connection:
        for table in METADATA.tables:
            rows = connection.execute(text(f"SELECT to_jsonb(t) FROM {table} AS t")).scalars()  # noqa: S608
            yield from (json.dumps(row) for row in rows)
    client: Any = environment.redis
    for key in client.scan_iter():
        yield str(client.dump(key))


def test_before_an_erasure_every_place_that_is_erased_holds_something_personal(ended: Environment) -> None:
    with ended.engine.connect() as connection:
        for table, columns in erased_columns().items():
            for column in columns:
                found = connection.execute(text(f"SELECT {column} FROM {table}")).scalars().all()  # noqa: S608
                assert any(MARK in str(value) for value in found), f"{table}.{column}"


def test_afterwards_no_store_holds_any_of_it_and_the_trail_says_who_and_why(ended: Environment) -> None:
    assert erase(ended, "b") == {"b": Erasure.ERASED}
    assert [each for each in stored(ended) if MARK in each or "left" in each] == []
    with ended.engine.connect() as connection:
        trail = connection.execute(text("SELECT batch_id, actor, reason FROM erasures")).all()
    assert [tuple(row) for row in trail] == [("b", ACTOR, REASON)]


def test_ids_counts_and_digest_stay_and_a_repeated_message_finds_its_answer(ended: Environment) -> None:
    before = ended.snapshot()
    erase(ended, "b")
    after = ended.snapshot()
    assert after.batch == before.batch
    assert [(slot.essay_id, slot.text_storage_id) for slot in after.assigned] == [
        (slot.essay_id, slot.text_storage_id) for slot in before.assigned
    ]
    assert ended.outcomes(content("a"), failure("a"), content("late"), failure("late")) == {"duplicate": 4}
    assert [each for each in stored(ended) if MARK in each] == []


def test_the_final_result_can_be_announced_again_without_what_was_erased(ended: Environment) -> None:
    [first] = [message for message in ended.bus.published if message.is_final]
    erase(ended, "b")
    publish: PublishOutbox = ended.publish_outbox
    AnnounceBatch(publish.post_commit, JsonEventEncoder()).announce("b")
    again = ended.bus.published[-1]
    assert (again.event_id, again.detail_type) == (first.event_id, first.detail_type)
    assert MARK not in again.detail
    before, data = json.loads(first.detail)["data"], json.loads(again.detail)["data"]
    assert set(data) == set(before)
    assert (data["digest"], data["user_id"]) == (before["digest"], "erased")


def test_a_batch_that_has_not_ended_or_has_an_unsent_event_is_not_erased(environment: Environment) -> None:
    environment.register(registration(1, "open"))
    environment.provision(content("a", "awaited"))
    environment.bus.is_down = True
    end_a_batch(environment, "unsent")
    assert erase(environment, "open", "awaited", "unsent", "nobody") == {
        "open": Erasure.NOT_ENDED,
        "awaited": Erasure.NOT_ENDED,
        "unsent": Erasure.UNSENT,
        "nobody": Erasure.UNKNOWN,
    }
    assert any(MARK in each for each in stored(environment))


def erased_columns() -> dict[str, set[str]]:
    """Return the columns that the statement sets, by table."""
    parts = re.findall(
        r"UPDATE (\w+) AS \w+ SET (.+?)\n +FROM", read_statements()["erase_personal_data"], re.DOTALL
    )
    return {table: set(re.findall(r"\b(\w+) = ", assignments)) for table, assignments in parts}


def test_every_text_column_is_erased_or_holds_nothing_personal() -> None:
    erased = erased_columns()
    for name, table in METADATA.tables.items():
        texts = {column.name for column in table.columns if isinstance(column.type, Text | JSONB)}
        assert texts == KEPT[name] | erased.get(name, set()), name
        assert not KEPT[name] & erased.get(name, set()), name


def test_the_command_lists_the_batches_of_a_user_and_erases_them_only_with_yes(
    dead_letter_queue: DeadLetterQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    call("register_batch", example_event("register_batch"))
    command = ["erase", "--user", "teacher-1", "--actor", ACTOR, "--reason", REASON]
    assert main(command) == 0
    assert "batch-1: would be erased; add --yes" in capsys.readouterr().out
    assert main([*command, "--yes"]) == 1
    assert "batch-1: not ended yet" in capsys.readouterr().out
    call("provision_content", example_event("provision_content"))
    assert main([*command, "--yes"]) == 0
    assert "1 of 1 batches erased" in capsys.readouterr().out
    assert main([*command, "--yes"]) == 0
    assert "0 of 0 batches erased" in capsys.readouterr().out
    assert dead_letter_queue.messages() == []
