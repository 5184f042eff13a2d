"""The tables as the migrations make them, for `alembic check`, which reports a migration that is missing.

The migrations are the only maker of the schema; a test compares the constraints too, which Alembic does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

METADATA = MetaData()
SEQUENCES = ("excess_order",)


def _text(name: str, *, needed: bool = False) -> Column[str]:
    return Column(name, Text, nullable=not needed)


def _number(name: str, *, needed: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=not needed)


def _big(name: str, *, needed: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=not needed)


def _moment(name: str, *, needed: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=not needed)


def _of_a_batch(name: str) -> SchemaItem:
    return ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name, ondelete="CASCADE")


def _known(name: str, *columns: str) -> Index:
    """Index the rows that have the first of these columns."""
    return Index(name, *columns, postgresql_where=text(f"{columns[0]} IS NOT NULL"))


def _checks(*names: str) -> list[SchemaItem]:
    """Name the checks; what they say stands in the migration."""
    return [CheckConstraint("true", name) for name in names]


batches = Table(
    "batches",
    METADATA,
    *(_text("batch_id", needed=True), _text("status", needed=True), _big("version", needed=True)),
    *(_number(f"{name}_count", needed=True) for name in ("expected", "assigned", "failed")),
    *(_moment("deadline"), _text("fingerprint"), _text("course_code"), _text("user_id"), _text("org_id")),
    *(_text("class_id"), _text("essay_instructions"), _text("student_prompt_ref")),
    *(_number("timeout_seconds"), _text("correlation_id"), _text("announced_digest")),
    *(_moment("created_at", needed=True), _moment("changed_at", needed=True)),
    *(_number("epoch", needed=True), _moment("last_arrival_at")),
    PrimaryKeyConstraint("batch_id", name="one_row_per_batch"),
    Index("open_deadlines", "deadline", "batch_id", postgresql_where=text("status = 'open'")),
    Index("closed_or_awaited_changes", "changed_at", postgresql_where=text("status <> 'open'")),
    Index("batches_by_creation", "created_at", "batch_id"),
    _known("batches_by_user", "user_id", "created_at", "batch_id"),
    _known("batches_by_organisation", "org_id", "created_at", "batch_id"),
    _known("batches_by_correlation", "correlation_id"),
    *_checks("batch_status_is_known", "awaited_batch_has_no_registration", "registered_batch_has_its_terms"),
    *_checks("counts_fit_the_slots", "open_batch_has_a_free_slot", "ready_batch_is_full_with_an_essay"),
    *_checks("failed_batch_is_full_of_failures", "timed_out_batch_has_a_missing_slot"),
    *_checks("cancelled_batch_has_a_missing_slot"),
)

essays = Table(
    "essays",
    METADATA,
    *(_text("batch_id", needed=True), _text("essay_id", needed=True), _text("status", needed=True)),
    *(_text("text_storage_id"), _text("raw_file_storage_id"), _text("original_file_name")),
    *(_big("file_size_bytes"), _text("content_md5_hash"), _text("file_upload_id")),
    *(_text("failure_identity"), _moment("settled_at"), _text("supersedes")),
    PrimaryKeyConstraint("batch_id", "essay_id", name="one_row_per_slot"),
    _of_a_batch("slot_belongs_to_a_batch"),
    UniqueConstraint("batch_id", "text_storage_id", name="one_slot_per_content"),
    UniqueConstraint("batch_id", "failure_identity", name="one_slot_per_failure"),
    Index("available_essays", "batch_id", "essay_id", postgresql_where=text("status = 'available'")),
    _known("essays_by_content", "text_storage_id"),
    _known("essays_by_upload", "file_upload_id"),
    *_checks("slot_status_is_known", "assigned_slot_has_a_content", "failed_slot_has_a_failure"),
)

validation_failures = Table(
    "validation_failures",
    METADATA,
    *(_text("batch_id", needed=True), _text("identity", needed=True), _text("essay_id")),
    *(_text("late_reason"), _text("event_id", needed=True), _text("error_code", needed=True)),
    *(_text("error_message", needed=True), _text("original_file_name", needed=True)),
    *(_text("raw_file_storage_id", needed=True), _big("file_size_bytes", needed=True)),
    *(_text("file_upload_id"), _moment("recorded_at", needed=True), _text("supersedes")),
    PrimaryKeyConstraint("batch_id", "identity", name="one_row_per_failure"),
    _of_a_batch("failure_belongs_to_a_batch"),
    UniqueConstraint("batch_id", "essay_id", name="one_failure_per_slot"),
    Index("failures_by_identity", "identity"),
    *_checks("failure_has_a_slot_or_is_late", "late_reason_is_known"),
)

excess_contents = Table(
    "excess_contents",
    METADATA,
    *(_text("batch_id", needed=True), _text("text_storage_id", needed=True), _text("reason", needed=True)),
    *(_text("original_file_name", needed=True), _text("raw_file_storage_id", needed=True)),
    *(_text("file_upload_id"), _moment("recorded_at", needed=True), _big("file_size_bytes")),
    *(_text("content_md5_hash"), _text("correlation_id"), _text("supersedes"), _big("position")),
    PrimaryKeyConstraint("batch_id", "text_storage_id", name="one_row_per_excess_content"),
    _of_a_batch("excess_content_belongs_to_a_batch"),
    Index("excess_contents_by_content", "text_storage_id"),
    _known("excess_contents_by_upload", "file_upload_id"),
    *_checks("excess_reason_is_known"),
)

parked_arrivals = Table(
    "parked_arrivals",
    METADATA,
    *(_text("batch_id", needed=True), _text("identity", needed=True)),
    Column("arrival", JSONB, nullable=False),
    *(_moment("parked_at", needed=True), _moment("announced_at")),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    PrimaryKeyConstraint("batch_id", "identity", name="one_row_per_parked_arrival"),
    _of_a_batch("parked_arrival_belongs_to_a_batch"),
    Index("parked_arrivals_by_identity", "identity"),
    Index("unannounced_parked", "parked_at", postgresql_where=text("announced_at IS NULL")),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("event_id", Uuid, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    *(_text("batch_id", needed=True), _text("detail_type", needed=True), _text("detail", needed=True)),
    _moment("created_at", needed=True),
    Column("is_final", Boolean, nullable=False),
    PrimaryKeyConstraint("event_id", name="one_row_per_event"),
    Index("outbox_order", "position"),
    Index("final_outbox_order", "position", postgresql_where=text("is_final")),
    Index("outbox_batches", "batch_id"),
)

batch_epochs = Table(
    "batch_epochs",
    METADATA,
    *(_text("batch_id", needed=True), _number("epoch", needed=True), _moment("opened_at")),
    *(_moment("ended_at"), _text("status"), _text("ended_by"), _moment("deadline")),
    Column("event_id", Uuid),
    *(_text("detail_type"), _text("detail"), _text("digest"), _moment("first_sent_at")),
    PrimaryKeyConstraint("batch_id", "epoch", name="one_row_per_epoch"),
    _of_a_batch("epoch_belongs_to_a_batch"),
    UniqueConstraint("event_id", name="one_epoch_per_event"),
    *_checks("epoch_status_is_known", "epoch_end_is_known", "ended_epoch_has_its_result"),
)

superseded_arrivals = Table(
    "superseded_arrivals",
    METADATA,
    *(_text("batch_id", needed=True), _text("identity", needed=True), _text("by_identity")),
    *(_text("by_command"), _text("essay_id")),
    Column("arrival", JSONB),
    *(_moment("superseded_at", needed=True), _moment("arrived_at")),
    PrimaryKeyConstraint("batch_id", "identity", name="one_row_per_superseded_arrival"),
    _of_a_batch("superseded_arrival_belongs_to_a_batch"),
    Index("superseded_arrivals_by_identity", "identity"),
    *_checks("superseded_arrival_has_its_time", "superseded_arrival_has_a_cause"),
)

batch_commands = Table(
    "batch_commands",
    METADATA,
    *(_text(name, needed=True) for name in ("batch_id", "command_id", "door", "source", "command")),
    Column("body", JSONB, nullable=False),
    *(_text("fingerprint", needed=True), _text("actor", needed=True), _text("reason")),
    Column("answer", JSONB, nullable=False),
    *(_text("refusal"), _big("version", needed=True), _number("epoch", needed=True)),
    _moment("at", needed=True),
    PrimaryKeyConstraint("batch_id", "command_id", name="one_row_per_command"),
    _of_a_batch("command_belongs_to_a_batch"),
    *_checks("door_is_known"),
)

rejected_registrations = Table(
    "rejected_registrations",
    METADATA,
    *(_text("batch_id", needed=True), _text("fingerprint", needed=True)),
    Column("differs", ARRAY(Text), nullable=False),
    _moment("rejected_at", needed=True),
    PrimaryKeyConstraint("batch_id", "fingerprint", name="one_row_per_rejected_registration"),
    _of_a_batch("rejected_registration_belongs_to_a_batch"),
)

job_runs = Table(
    "job_runs",
    METADATA,
    *(_text("job", needed=True), _moment("ran_at", needed=True)),
    PrimaryKeyConstraint("job", name="one_row_per_job"),
)

erasures = Table(
    "erasures",
    METADATA,
    Column("position", BigInteger, Identity(always=True), nullable=False),
    *(_text("batch_id", needed=True), _text("actor", needed=True), _text("reason", needed=True)),
    _moment("erased_at", needed=True),
    PrimaryKeyConstraint("position", name="one_row_per_erasure"),
)
