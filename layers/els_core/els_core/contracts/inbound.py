"""Inbound events: SQS bodies parsed into registrations and arrivals, or rejected with the field's name."""

import hashlib
import json
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal, Self, assert_never

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from els_core.application.messages import PoisonMessage
from els_core.contracts.fields import (
    MAX_SLOTS,
    MAX_TIMEOUT_SECONDS,
    FileName,
    Id,
    Identity,
    LongText,
    Md5,
    Metadata,
    ShortText,
    Size,
    WireModel,
)
from els_core.contracts.rejections import not_utf8, rejection, replaces_itself
from els_core.domain.arrivals import Arrival, Content, Failure
from els_core.domain.batches import Registration, RegistrationDetails


class ValidationErrorCode(StrEnum):
    """Why a file failed validation."""

    EMPTY_CONTENT = "EMPTY_CONTENT"
    CONTENT_TOO_SHORT = "CONTENT_TOO_SHORT"
    CONTENT_TOO_LONG = "CONTENT_TOO_LONG"
    RAW_STORAGE_FAILED = "RAW_STORAGE_FAILED"
    TEXT_EXTRACTION_FAILED = "TEXT_EXTRACTION_FAILED"
    ENCRYPTED_FILE_UNSUPPORTED = "ENCRYPTED_FILE_UNSUPPORTED"
    UNKNOWN_VALIDATION_ERROR = "UNKNOWN_VALIDATION_ERROR"


class BatchEssaysRegistered(WireModel):
    """A batch is announced; its expected essay ids are its slots."""

    batch_id: Id
    essay_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_SLOTS)]
    expected_essay_count: int
    course_code: Id
    user_id: Id
    org_id: Id | None = None
    class_id: Id | None = None
    essay_instructions: LongText | None = None
    student_prompt_ref: ShortText | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=MAX_TIMEOUT_SECONDS)] | None = None

    @model_validator(mode="after")
    def _slots_are_distinct_and_counted(self) -> Self:
        if len(set(self.essay_ids)) != len(self.essay_ids):
            raise PydanticCustomError("essay_ids", "essay_ids must be distinct")
        if self.expected_essay_count != len(self.essay_ids):
            raise PydanticCustomError(
                "expected_essay_count", "expected_essay_count must be the number of essay_ids"
            )
        return self

    def fingerprint(self) -> str:
        """Return SHA-256 in hex over the data as sent, ids sorted, without the envelope."""
        data = self.model_dump(mode="json", exclude_none=True) | {"essay_ids": sorted(self.essay_ids)}
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


class EssayContentProvisioned(WireModel):
    """One file was validated and its text stored."""

    batch_id: Id
    text_storage_id: Id
    raw_file_storage_id: Id
    original_file_name: FileName
    file_size_bytes: Size
    content_md5_hash: Md5 | None = None
    file_upload_id: Id | None = None
    supersedes: Identity | None = None


class EssayValidationFailed(WireModel):
    """One file failed validation; `raw_file_storage_id` may be STORAGE_FAILED for many and names nothing."""

    batch_id: Id
    original_file_name: FileName
    raw_file_storage_id: Id
    validation_error_code: ValidationErrorCode
    validation_error_message: ShortText
    file_size_bytes: Size
    file_upload_id: Id | None = None
    supersedes: Identity | None = None


class Detail[Data](WireModel):
    """The `detail` of an event: envelope and data."""

    metadata: Metadata
    data: Data


class RegistrationEvent(WireModel):
    """An EventBridge event as its rule puts it into the queue of `register_batch`."""

    detail_type: Literal["BatchEssaysRegistered"] = Field(alias="detail-type")
    detail: Detail[BatchEssaysRegistered]


class ContentEvent(WireModel):
    """An EventBridge event as its rule puts it into the queue of `provision_content`."""

    detail_type: Literal["EssayContentProvisioned"] = Field(alias="detail-type")
    detail: Detail[EssayContentProvisioned]


class FailureEvent(WireModel):
    """An EventBridge event as its rule puts it into the queue of `provision_content`."""

    detail_type: Literal["EssayValidationFailed"] = Field(alias="detail-type")
    detail: Detail[EssayValidationFailed]


type ArrivalEvent = Annotated[ContentEvent | FailureEvent, Field(discriminator="detail_type")]


@cache
def _arrivals() -> TypeAdapter[ContentEvent | FailureEvent]:
    return TypeAdapter(ArrivalEvent)


def parse_registration(body: str, default_timeout_seconds: int) -> Registration | PoisonMessage:
    """Parse a registration; a batch without a timeout gets the default."""
    try:
        detail = RegistrationEvent.model_validate_json(body).detail
    except ValidationError as error:
        return rejection(error, *_MODELS)
    except UnicodeError:
        return not_utf8()
    data = detail.data
    details = RegistrationDetails(
        course_code=data.course_code,
        user_id=data.user_id,
        correlation_id=str(detail.metadata.correlation_id),
        timeout_seconds=data.timeout_seconds or default_timeout_seconds,
        org_id=data.org_id,
        class_id=data.class_id,
        essay_instructions=data.essay_instructions,
        student_prompt_ref=data.student_prompt_ref,
    )
    return Registration(
        data.batch_id, tuple(data.essay_ids), details, data.fingerprint(), detail.metadata.traceparent
    )


def parse_arrival(body: str) -> Arrival | PoisonMessage:
    """Parse a content or a failure."""
    try:
        event = _arrivals().validate_json(body)
    except ValidationError as error:
        return rejection(error, *_MODELS)
    except UnicodeError:
        return not_utf8()
    arrival: Arrival
    match event:
        case ContentEvent():
            arrival = _content(event.detail)
        case FailureEvent():
            arrival = _failure(event.detail)
        case _:
            assert_never(event)
    return replaces_itself() if arrival.supersedes == arrival.identity else arrival


def _content(detail: Detail[EssayContentProvisioned]) -> Content:
    data = detail.data
    return Content(
        batch_id=data.batch_id,
        text_storage_id=data.text_storage_id,
        raw_file_storage_id=data.raw_file_storage_id,
        original_file_name=data.original_file_name,
        file_size_bytes=data.file_size_bytes,
        correlation_id=str(detail.metadata.correlation_id),
        content_md5_hash=data.content_md5_hash,
        file_upload_id=data.file_upload_id,
        traceparent=detail.metadata.traceparent,
        supersedes=data.supersedes,
    )


def _failure(detail: Detail[EssayValidationFailed]) -> Failure:
    data = detail.data
    return Failure(
        batch_id=data.batch_id,
        event_id=str(detail.metadata.event_id),
        raw_file_storage_id=data.raw_file_storage_id,
        original_file_name=data.original_file_name,
        file_size_bytes=data.file_size_bytes,
        error_code=data.validation_error_code.value,
        error_message=data.validation_error_message,
        correlation_id=str(detail.metadata.correlation_id),
        file_upload_id=data.file_upload_id,
        traceparent=detail.metadata.traceparent,
        supersedes=data.supersedes,
    )


_MODELS: tuple[type[BaseModel], ...] = (
    Metadata,
    BatchEssaysRegistered,
    EssayContentProvisioned,
    EssayValidationFailed,
    RegistrationEvent,
    ContentEvent,
    FailureEvent,
    Detail,
)
