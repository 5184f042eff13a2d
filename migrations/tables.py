"""The tables as the migrations create them, so that `alembic check` reports a missing migration.

Only the migrations create the schema. A test compares the check constraints too, which Alembic does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.dialects.postgresql import JSONB

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

METADATA = MetaData()


def _text(name: str, *, required: bool = False) -> Column[str]:
    return Column(name, Text, nullable=not required)


def _number(name: str, *, required: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=not required)


def _big(name: str, *, required: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=not required)


def _time(name: str, *, required: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def _batch_reference(name: str) -> SchemaItem:
    return ForeignKeyConstraint(["batch_id"], ["batches.batch_id"], name, ondelete="CASCADE")


def _checks(*names: str) -> list[SchemaItem]:
    """Return check constraints by name; their conditions are in the migration."""
    return [CheckConstraint("true", name) for name in names]


batches = Table(
    "batches",
    METADATA,
    *(_text("batch_id", required=True), _text("status", required=True), _big("version", required=True)),
    *(_number(f"{name}_count", required=True) for name in ("expected", "assigned", "failed")),
    *(_time("deadline"), _text("fingerprint"), _text("course_code"), _text("user_id"), _text("org_id")),
    *(_text("class_id"), _text("essay_instructions"), _text("student_prompt_ref")),
    *(_number("timeout_seconds"), _text("correlation_id"), _text("announced_digest")),
    *(_time("created_at", required=True), _time("changed_at", required=True)),
    PrimaryKeyConstraint("batch_id", name="one_row_per_batch"),
    Index("open_deadlines", "deadline", "batch_id", postgresql_where=text("status = 'open'")),
    Index("closed_or_awaited_changes", "changed_at", postgresql_where=text("status <> 'open'")),
    *_checks("batch_status_is_known", "awaited_batch_has_no_registration", "registered_batch_has_its_terms"),
    *_checks("counts_fit_the_slots", "open_batch_has_a_free_slot", "ready_batch_is_full_with_an_essay"),
    *_checks("failed_batch_is_full_of_failures", "timed_out_batch_has_a_missing_slot"),
)

essays = Table(
    "essays",
    METADATA,
    *(_text("batch_id", required=True), _text("essay_id", required=True), _text("status", required=True)),
    *(_text("text_storage_id"), _text("raw_file_storage_id"), _text("original_file_name")),
    *(_big("file_size_bytes"), _text("content_md5_hash"), _text("file_upload_id")),
    *(_text("failure_identity"), _time("settled_at")),
    PrimaryKeyConstraint("batch_id", "essay_id", name="one_row_per_slot"),
    _batch_reference("slot_belongs_to_a_batch"),
    UniqueConstraint("batch_id", "text_storage_id", name="one_slot_per_content"),
    UniqueConstraint("batch_id", "failure_identity", name="one_slot_per_failure"),
    Index("available_essays", "batch_id", "essay_id", postgresql_where=text("status = 'available'")),
    *_checks("slot_status_is_known", "assigned_slot_has_a_content", "failed_slot_has_a_failure"),
)

validation_failures = Table(
    "validation_failures",
    METADATA,
    *(_text("batch_id", required=True), _text("identity", required=True), _text("essay_id")),
    *(_text("late_reason"), _text("event_id", required=True), _text("error_code", required=True)),
    *(_text("error_message", required=True), _text("original_file_name", required=True)),
    *(_text("raw_file_storage_id", required=True), _big("file_size_bytes", required=True)),
    *(_text("file_upload_id"), _time("recorded_at", required=True)),
    PrimaryKeyConstraint("batch_id", "identity", name="one_row_per_failure"),
    _batch_reference("failure_belongs_to_a_batch"),
    UniqueConstraint("batch_id", "essay_id", name="one_failure_per_slot"),
    *_checks("failure_has_a_slot_or_is_late", "late_reason_is_known"),
)

excess_contents = Table(
    "excess_contents",
    METADATA,
    *(
        _text("batch_id", required=True),
        _text("text_storage_id", required=True),
        _text("reason", required=True),
    ),
    *(_text("original_file_name", required=True), _text("raw_file_storage_id", required=True)),
    *(_text("file_upload_id"), _time("recorded_at", required=True)),
    PrimaryKeyConstraint("batch_id", "text_storage_id", name="one_row_per_excess_content"),
    _batch_reference("excess_content_belongs_to_a_batch"),
    *_checks("excess_reason_is_known"),
)

parked_arrivals = Table(
    "parked_arrivals",
    METADATA,
    *(_text("batch_id", required=True), _text("identity", required=True)),
    Column("arrival", JSONB, nullable=False),
    *(_time("parked_at", required=True), _time("announced_at")),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    PrimaryKeyConstraint("batch_id", "identity", name="one_row_per_parked_arrival"),
    _batch_reference("parked_arrival_belongs_to_a_batch"),
    Index("unannounced_parked", "parked_at", postgresql_where=text("announced_at IS NULL")),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("event_id", Uuid, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    *(_text("batch_id", required=True), _text("detail_type", required=True), _text("detail", required=True)),
    _time("created_at", required=True),
    PrimaryKeyConstraint("event_id", name="one_row_per_event"),
    Index("outbox_order", "position"),
)
