"""What upstream sends, as data: six batches, each of which shows one thing, and all events in order."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dev.demo.files import ValidationFailure, validate
from dev.deploy.stack import Announcement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dev.demo.files import File

MIN_FILES = 4  # per batch; the files of a small folder are handed in more than once
EXCESS = 2
MISSING = 2
SHORT_TIMEOUT_SECONDS = 20  # over before the first sweep after the deployment
LONG_TIMEOUT_SECONDS = 3_600
DUPLICATED = 0.1
STORAGE_FAILURE = ValidationFailure("RAW_STORAGE_FAILED", "the storage rejected the file (simulated)")


@dataclass(frozen=True)
class Upload:
    """One file handed in for one batch, with the ids that upstream gave it."""

    file: File
    upload_id: str
    failure: ValidationFailure | None

    @property
    def identity(self) -> str:
        """Return the identity of its arrival inside the batch."""
        return f"upload:{self.upload_id}" if self.failure else f"content:{self.text_id}"

    @property
    def text_id(self) -> str:
        """Return the storage id of its text."""
        return f"text-{self.upload_id}"

    def announcement(self, batch_id: str) -> Announcement:
        """Return the event that upstream publishes about it."""
        data: dict[str, Any] = {
            "batch_id": batch_id,
            "original_file_name": self.file.name[:255],
            "raw_file_storage_id": f"raw-{self.upload_id}",
            "file_size_bytes": len(self.file.body),
            "file_upload_id": self.upload_id,
        }
        if self.failure is None:
            digest = hashlib.md5(self.file.body, usedforsecurity=False).hexdigest()
            stored = {"text_storage_id": self.text_id, "content_md5_hash": digest}
            return Announcement("EssayContentProvisioned", data | stored)
        if self.failure is STORAGE_FAILURE:
            data["raw_file_storage_id"] = "STORAGE_FAILED"
        failure = {
            "validation_error_code": self.failure.code,
            "validation_error_message": self.failure.message,
        }
        return Announcement("EssayValidationFailed", data | failure)


@dataclass(frozen=True)
class Batch:
    """A batch as the teacher registers it, and the files that are handed in for it."""

    name: str
    shows: str
    batch_id: str
    slots: int
    uploads: tuple[Upload, ...]
    course: str = "ENG5"
    timeout_seconds: int = LONG_TIMEOUT_SECONDS

    @property
    def essay_ids(self) -> list[str]:
        """Return the ids of its slots."""
        return [f"{self.name}-{number:03}" for number in range(1, self.slots + 1)]

    @property
    def failed(self) -> int:
        """Return how many of its files fail validation."""
        return sum(upload.failure is not None for upload in self.uploads)

    @property
    def final(self) -> str:
        """Return the type of the terminal event that it must get."""
        if len(self.uploads) < self.slots:
            return "BatchReadinessTimeout"
        return "BatchValidationErrors" if self.failed == self.slots else "BatchEssaysReady"

    def registration(self) -> Announcement:
        """Return the event that registers it."""
        data = {
            "batch_id": self.batch_id,
            "essay_ids": self.essay_ids,
            "expected_essay_count": self.slots,
            "course_code": self.course,
            "user_id": "teacher-1",
            "org_id": "school-1",
            "timeout_seconds": self.timeout_seconds,
        }
        return Announcement("BatchEssaysRegistered", data)


@dataclass(frozen=True)
class Workload:
    """The batches, all events of upstream in order, and a file that comes after its batch was closed."""

    batches: tuple[Batch, ...]
    announcements: tuple[Announcement, ...]
    latecomer: Upload
    duplicates: int

    @property
    def incomplete(self) -> Batch:
        """Return the batch that is never full."""
        return next(batch for batch in self.batches if batch.final == "BatchReadinessTimeout")

    @property
    def flush_after(self) -> int:
        """Return after how many events Redis is flushed: half-way through those of the incomplete batch."""
        batch_id = self.incomplete.batch_id
        places = [place for place, each in enumerate(self.announcements) if each.data["batch_id"] == batch_id]
        return places[len(places) // 2]

    @property
    def batch_ids(self) -> list[str]:
        """Return the ids of all batches."""
        return [batch.batch_id for batch in self.batches]

    def identities(self, batch: Batch) -> set[str]:
        """Return the identities of all arrivals of a batch."""
        late = [self.latecomer] if batch is self.incomplete else []
        return {upload.identity for upload in (*batch.uploads, *late)}


def make_workload(files: Sequence[File], run: str, seed: int) -> Workload:
    """Deal the files into batches and shuffle their events; raise ValueError when no file is an essay."""
    chance = random.Random(seed)  # noqa: S311 - to be repeatable, not to be secret
    numbers = itertools.count(1)

    def hand_in(file: File, failure: ValidationFailure | None) -> Upload:
        return Upload(file, f"{run}-{next(numbers):04}", failure)

    validated = [(file, validate(file.body)) for file in files]
    good = [file for file, result in validated if isinstance(result, str)]
    if not good:
        raise ValueError(
            "no file has 50 to 50 000 characters of text: name another folder with ESSAYS=folder"
        )
    failed = [(file, result) for file, result in validated if isinstance(result, ValidationFailure)]
    chance.shuffle(good)
    count = max(len(good), 5 * MIN_FILES)
    dealt = list(itertools.islice(itertools.cycle(good), count))
    hands = [[hand_in(file, None) for file in dealt[hand::5]] for hand in range(5)]
    half = len(failed) // 2
    some = [hand_in(*each) for each in failed[:half]] or [hand_in(good[0], STORAGE_FAILURE)]
    rest = [hand_in(*each) for each in failed[half:]]
    rest += [hand_in(good[0], STORAGE_FAILURE)] * (not rest)
    batches = _batches(run, hands, some, rest)
    announcements, duplicates = _in_order(batches, chance)
    return Workload(batches, tuple(announcements), hand_in(good[0], None), duplicates)


def _batches(
    run: str, hands: list[list[Upload]], some: list[Upload], rest: list[Upload]
) -> tuple[Batch, ...]:
    def batch(name: str, shows: str, uploads: list[Upload], more: int = 0, **details: Any) -> Batch:
        return Batch(name, shows, f"demo-{run}-{name}", len(uploads) + more, tuple(uploads), **details)

    complete, mixed, early, crowded, incomplete = hands
    timeout = {"timeout_seconds": SHORT_TIMEOUT_SECONDS}
    return (
        batch("complete", "all files valid", complete),
        batch("mixed", "some files fail", mixed + some, course="SVE1"),
        batch("early", "files come first", early),
        batch("crowded", "too many files", crowded, -EXCESS, course="SVE1"),
        batch("incomplete", "deadline passes", incomplete, MISSING, course="ENG6", **timeout),
        batch("invalid", "all files fail", rest),
    )


def _in_order(batches: Sequence[Batch], chance: random.Random) -> tuple[list[Announcement], int]:
    """Shuffle all events and repeat a tenth.

    The files of "early" precede its registration; those of "incomplete" come in the first half.
    """
    placed: list[tuple[float, Announcement]] = []
    duplicates = 0
    for batch in batches:
        # Each event has a place between 0 and 1 in the order of all.
        registered = 0.7 if batch.name == "early" else chance.uniform(0, 0.2)
        placed.append((registered, batch.registration()))
        until = 0.5 if batch.name in {"early", "incomplete"} else 1
        for repeated in _repeat(batch, chance):
            duplicates += len(repeated) - 1
            placed += [(chance.uniform(0, until), announcement) for announcement in repeated]
    return [announcement for _, announcement in sorted(placed, key=lambda each: each[0])], duplicates


def _repeat(batch: Batch, chance: random.Random) -> Iterator[list[Announcement]]:
    """Yield the event of each file as often as it is published."""
    again = set(chance.sample(range(len(batch.uploads)), math.ceil(len(batch.uploads) * DUPLICATED)))
    for number, upload in enumerate(batch.uploads):
        yield [upload.announcement(batch.batch_id)] * (2 if number in again else 1)
