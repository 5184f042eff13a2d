"""One demo from the first announcement to the last promise."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from dev.demo.checks import FINAL, Evidence, Redis, judge
from dev.demo.evidence import Bookkeeper
from dev.demo.files import check
from dev.deploy.stack import Announcement, Heard, Listener, announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.live import Live

    from dev.demo.console import Screen
    from dev.demo.environment import World
    from dev.demo.workload import Plan

GROUP = 5
PAUSE_SECONDS = 0.5
ROUNDS = 300


class Play:
    """Upstream, the audience and the books of one demo."""

    def __init__(self, world: World, plan: Plan, screen: Screen, listener: Listener) -> None:
        self._world = world
        self._plan = plan
        self._screen = screen
        self._listener = listener
        self._heard: list[Heard] = []
        self._keeper = Bookkeeper(world, plan)
        self._events = world.stack.client("events")
        self._forgot_at = 0.0
        self._compared: dict[str, str | None] = {}

    def __call__(self, *, tamper: bool) -> bool:
        """Play and return whether every promise holds."""
        self._store()
        with self._screen.live() as live:
            self._announce(live)
            self._until(live, "waiting for the outcome of every file", self._is_settled)
            self._compared = self._keeper.compared()
            self._until(
                live,
                "waiting for the deadline, and the sweep of each minute that closes the forgotten batch",
                self._is_over,
            )
            late = self._plan.latecomer.announcement(self._plan.overdue.batch_id)
            announce(self._events, self._world.stack.outputs["InboundBus"], late)
            self._until(
                live, "waiting for a file that came after the end to be announced as excess", self._is_quiet
            )
        if tamper:
            self._screen.say("BREAK: one fact of the record is changed behind everybody's back")
            self._keeper.tamper()
        return self._judge()

    def _store(self) -> None:
        s3 = self._world.stack.client("s3")
        uploads = [u for batch in self._plan.batches for u in batch.uploads] + [self._plan.latecomer]
        self._screen.say(
            f"{len(uploads)} files are stored in S3 and checked; {self._plan.duplicates} come twice"
        )
        for upload in uploads:
            s3.put_object(Bucket=self._world.bucket, Key=f"raw-{upload.upload_id}", Body=upload.file.body)
            text = check(upload.file.body)
            if upload.refusal is None and isinstance(text, str):
                s3.put_object(Bucket=self._world.bucket, Key=upload.text_id, Body=text.encode())

    def _announce(self, live: Live | None) -> None:
        """Announce in groups, beside them something poisonous; Redis forgets everything half-way."""
        bus = self._world.stack.outputs["InboundBus"]
        announcements = self._plan.announcements
        group = max(GROUP, len(announcements) // 20)
        forget_after = self._plan.forget_after
        announce(self._events, bus, Announcement("EssayContentProvisioned", {"batch_id": "poison"}))
        for start in range(0, len(announcements), group):
            announce(self._events, bus, *announcements[start : start + group])
            note = f"announced {min(start + group, len(announcements))} of {len(announcements)} on the bus"
            if start <= forget_after < start + group:
                self._forgot_at = self._keeper.forget()
                self._screen.say("Redis is made to forget everything in the middle of it")
            self._screen.progress(live, self._plan, self._keeper.books(), note)
            Event().wait(PAUSE_SECONDS)

    def _until(self, live: Live | None, note: str, condition: Callable[[], bool]) -> None:
        for _ in range(ROUNDS):
            self._heard.extend(self._listener.hear())
            self._screen.progress(live, self._plan, self._keeper.books(), note)
            if condition():
                return
            Event().wait(PAUSE_SECONDS)
        self._screen.say(f"gave up {note}; the promises will show what is missing")

    def _is_settled(self) -> bool:
        """Tell whether nothing is on its way and every batch but the forgotten one is closed."""
        books = self._keeper.books()
        open_ids = set(self._plan.batch_ids) - {name for name, book in books.items() if book.is_terminal}
        return open_ids <= {self._plan.overdue.batch_id} and not self._keeper.queued()

    def _is_over(self) -> bool:
        books = self._keeper.books()
        finals = {event.data["batch_id"] for event in self._heard if event.detail_type in FINAL.values()}
        closed = {name for name, book in books.items() if book.is_terminal}
        return set(self._plan.batch_ids) <= finals & closed

    def _is_quiet(self) -> bool:
        late = self._plan.latecomer.text_id
        is_heard = any(event.data.get("text_storage_id") == late for event in self._heard)
        unsent = sum(book.unsent for book in self._keeper.books().values())
        return is_heard and not unsent and not self._keeper.queued()

    def _judge(self) -> bool:
        keeper = self._keeper
        books = keeper.books()
        redis = Redis(self._forgot_at, self._compared, keeper.metadata())
        evidence = Evidence(self._plan, books, redis, self._heard, keeper.queued(), keeper.dead_letters())
        verdicts = judge(evidence)
        self._screen.results(self._plan, books, self._heard)
        self._screen.verdicts(verdicts)
        keeper.close()
        return not any(verdict.breaches for verdict in verdicts)
