"""What upstream will do, as data: six batches that show something each, and every announcement in order."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dev.demo.files import Refusal, check
from dev.deploy.stack import Announcement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dev.demo.files import File

FEWEST = 4  # files per batch; a small folder is handed in more than once
EXCESS = 2
MISSING = 2
SHORT_DEADLINE_SECONDS = 20  # over before the sweep of the first minute after the deployment
LONG_DEADLINE_SECONDS = 3_600
DUPLICATED = 0.1
STORAGE_REFUSES = Refusal("RAW_STORAGE_FAILED", "the storage refused the file (played by the demo)")


@dataclass(frozen=True)
class Upload:
    """One file handed in for one batch, with the ids that upstream gave it."""

    file: File
    upload_id: str
    refusal: Refusal | None

    @property
    def identity(self) -> str:
        """Return what names it inside its batch, as the record does."""
        return f"upload:{self.upload_id}" if self.refusal else f"content:{self.text_id}"

    @property
    def text_id(self) -> str:
        """Return the storage id of its text."""
        return f"text-{self.upload_id}"

    def announcement(self, batch_id: str) -> Announcement:
        """Return what upstream says of it."""
        known: dict[str, Any] = {
            "batch_id": batch_id,
            "original_file_name": self.file.name[:255],
            "raw_file_storage_id": f"raw-{self.upload_id}",
            "file_size_bytes": len(self.file.body),
            "file_upload_id": self.upload_id,
        }
        if self.refusal is None:
            digest = hashlib.md5(self.file.body, usedforsecurity=False).hexdigest()
            more = {"text_storage_id": self.text_id, "content_md5_hash": digest}
            return Announcement("EssayContentProvisioned", known | more)
        if self.refusal is STORAGE_REFUSES:
            known["raw_file_storage_id"] = "STORAGE_FAILED"
        more = {
            "validation_error_code": self.refusal.code,
            "validation_error_message": self.refusal.message,
        }
        return Announcement("EssayValidationFailed", known | more)


@dataclass(frozen=True)
class Batch:
    """A batch as the teacher announces it, and what is handed in for it."""

    name: str
    shows: str
    batch_id: str
    slots: int
    uploads: tuple[Upload, ...]
    course: str = "ENG5"
    timeout_seconds: int = LONG_DEADLINE_SECONDS

    @property
    def essay_ids(self) -> list[str]:
        """Return its slots."""
        return [f"{self.name.replace(' ', '-')}-{number:03}" for number in range(1, self.slots + 1)]

    @property
    def failed(self) -> int:
        """Return how many of its files are refused."""
        return sum(upload.refusal is not None for upload in self.uploads)

    @property
    def final(self) -> str:
        """Return the kind of its final result."""
        if len(self.uploads) < self.slots:
            return "BatchReadinessTimeout"
        return "BatchValidationErrors" if self.failed == self.slots else "BatchEssaysReady"

    def registration(self) -> Announcement:
        """Return its announcement."""
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
class Plan:
    """The batches, everything that upstream announces in order, and what comes after the final results."""

    batches: tuple[Batch, ...]
    announcements: tuple[Announcement, ...]
    latecomer: Upload
    duplicates: int

    @property
    def overdue(self) -> Batch:
        """Return the batch that will never be full."""
        return next(batch for batch in self.batches if batch.final == "BatchReadinessTimeout")

    @property
    def forget_after(self) -> int:
        """Return after how many announcements Redis forgets: the unfinished batch has still some to come."""
        name = self.overdue.batch_id
        places = [place for place, said in enumerate(self.announcements) if said.data["batch_id"] == name]
        return places[len(places) // 2]

    @property
    def batch_ids(self) -> list[str]:
        """Return the ids of all batches."""
        return [batch.batch_id for batch in self.batches]

    def arrivals(self, batch: Batch) -> set[str]:
        """Return the identities of all that was handed in for a batch."""
        late = [self.latecomer] if batch is self.overdue else []
        return {upload.identity for upload in (*batch.uploads, *late)}


def make_plan(files: Sequence[File], run: str, seed: int) -> Plan:
    """Deal the files into batches and shuffle what is said of them; raise ValueError without any essay."""
    chance = random.Random(seed)  # noqa: S311 - to be repeatable, not to be secret
    numbers = itertools.count(1)

    def hand_in(file: File, refusal: Refusal | None) -> Upload:
        return Upload(file, f"{run}-{next(numbers):04}", refusal)

    checked = [(file, check(file.body)) for file in files]
    good = [file for file, text in checked if isinstance(text, str)]
    if not good:
        raise ValueError("no file holds 50 to 50 000 characters of text")
    refused = [(file, text) for file, text in checked if isinstance(text, Refusal)]
    chance.shuffle(good)
    rounds = max(len(good), 5 * FEWEST)
    dealt = list(itertools.islice(itertools.cycle(good), rounds))
    hands = [[hand_in(file, None) for file in dealt[hand::5]] for hand in range(5)]
    half = len(refused) // 2
    some = [hand_in(*each) for each in refused[:half]] or [hand_in(good[0], STORAGE_REFUSES)]
    rest = [hand_in(*each) for each in refused[half:]]
    rest += [hand_in(good[0], STORAGE_REFUSES)] * (not rest)
    batches = _batches(run, hands, some, rest)
    announcements, duplicates = _in_order(batches, chance)
    return Plan(batches, tuple(announcements), hand_in(good[0], None), duplicates)


def _batches(
    run: str, hands: list[list[Upload]], some: list[Upload], rest: list[Upload]
) -> tuple[Batch, ...]:
    def batch(name: str, shows: str, uploads: list[Upload], more: int = 0, **details: Any) -> Batch:
        batch_id = f"demo-{run}-{name.replace(' ', '-')}"
        return Batch(name, shows, batch_id, len(uploads) + more, tuple(uploads), **details)

    whole, mixed, early, crowded, forgotten = hands
    return (
        batch("whole", "every file is an essay", whole),
        batch("mixed", "some files fail", mixed + some, course="SVE1"),
        batch("early", "files come before the batch", early),
        batch("crowded", "more files than slots", crowded, -EXCESS, course="SVE1"),
        batch(
            "forgotten",
            "never full",
            forgotten,
            MISSING,
            timeout_seconds=SHORT_DEADLINE_SECONDS,
            course="ENG6",
        ),
        batch("hopeless", "every file fails", rest),
    )


def _in_order(batches: Sequence[Batch], chance: random.Random) -> tuple[list[Announcement], int]:
    """Shuffle all, repeat a tenth; files come before the batch "early", and "forgotten" is soon over."""
    said: list[tuple[float, Announcement]] = []
    duplicates = 0
    for batch in batches:
        # A place between 0 and 1 in the order of all.
        registered = 0.7 if batch.name == "early" else chance.uniform(0, 0.2)
        said.append((registered, batch.registration()))
        until = 0.5 if batch.name in {"early", "forgotten"} else 1
        for repeated in _announcements(batch, chance):
            duplicates += len(repeated) - 1
            said += [(chance.uniform(0, until), announcement) for announcement in repeated]
    return [announcement for _, announcement in sorted(said, key=lambda each: each[0])], duplicates


def _announcements(batch: Batch, chance: random.Random) -> Iterator[list[Announcement]]:
    """Yield each announcement of a file as often as it is delivered."""
    again = set(chance.sample(range(len(batch.uploads)), math.ceil(len(batch.uploads) * DUPLICATED)))
    for number, upload in enumerate(batch.uploads):
        yield [upload.announcement(batch.batch_id)] * (2 if number in again else 1)
