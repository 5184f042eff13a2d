"""Identities keep contents and failures of one batch apart."""

from __future__ import annotations

from dataclasses import replace

from els_core.domain.arrivals import content_identity, key_of
from tests.factories import EVENT, content, failure


def test_a_content_is_identified_by_its_text() -> None:
    assert content("text").identity == content_identity("text") == "content:text"


def test_a_failure_is_identified_by_its_upload() -> None:
    assert failure("upload").identity == "upload:upload"


def test_a_failure_without_an_upload_is_identified_by_its_event() -> None:
    assert replace(failure("any"), file_upload_id=None).identity == f"event:{EVENT}"


def test_equal_ids_of_different_kinds_are_different_arrivals() -> None:
    assert key_of(content("same")) != key_of(failure("same"))


def test_equal_ids_in_different_batches_are_different_arrivals() -> None:
    assert key_of(content("same", "b1")) != key_of(content("same", "b2"))


def test_the_raw_file_id_is_no_identity() -> None:
    first, second = failure("first"), failure("second")
    assert first.raw_file_storage_id == second.raw_file_storage_id == "STORAGE_FAILED"
    assert key_of(first) != key_of(second)
