"""One demo from the first announcement to the last promise."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from dev.demo.books import Bookkeeper
from dev.demo.files import check
from dev.demo.promises import Evidence, judge
from dev.stack import Announcement, Heard, Listener, announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.live import Live

    from dev.demo.plan import Plan
    from dev.demo.screen import Screen
    from dev.demo.world import World

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

    def __call__(self, *, tamper: bool) -> bool:
        """Play and return whether every promise holds."""
        self._store()
        with self._screen.live() as live:
            self._announce(live)
            self._until(
                live, "waiting for the sweep of each minute to close the forgotten batch", self._is_over
            )
            late = self._plan.latecomer.announcement(self._plan.overdue.batch_id)
            announce(self._events, self._world.stack.outputs["InboundBus"], late)
            self._until(
                live, "a file comes after the end; waiting for it to be announced as excess", self._is_quiet
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
        """Announce in groups, one of them poisonous; a Valkey of our own forgets everything half-way."""
        bus = self._world.stack.outputs["InboundBus"]
        announcements = self._plan.announcements
        half = len(announcements) // 2
        announce(self._events, bus, Announcement("EssayContentProvisioned", {"batch_id": "poison"}))
        for start in range(0, len(announcements), GROUP):
            announce(self._events, bus, *announcements[start : start + GROUP])
            if start <= half < start + GROUP and not self._world.given_redis:
                self._keeper.forget()
            note = f"announced {min(start + GROUP, len(announcements))} of {len(announcements)} on the bus"
            self._screen.progress(live, self._plan, self._keeper.books(), note)
            Event().wait(PAUSE_SECONDS)

    def _until(self, live: Live | None, note: str, condition: Callable[[], bool]) -> None:
        for _ in range(ROUNDS):
            self._heard.extend(self._listener.hear())
            self._screen.progress(live, self._plan, self._keeper.books(), note)
            if condition():
                return
            Event().wait(PAUSE_SECONDS)

    def _is_over(self) -> bool:
        books = self._keeper.books()
        finals = {event.data["batch_id"] for event in self._heard if event.detail_type.startswith("Batch")}
        return all(
            batch.batch_id in finals and books[batch.batch_id].is_terminal for batch in self._plan.batches
        )

    def _is_quiet(self) -> bool:
        late = self._plan.latecomer.text_id
        is_heard = any(event.data.get("text_storage_id") == late for event in self._heard)
        unsent = sum(book.unsent for book in self._keeper.books().values())
        return is_heard and not unsent and not self._keeper.queued()

    def _judge(self) -> bool:
        keeper = self._keeper
        books = keeper.books()
        evidence = Evidence(
            self._plan, books, keeper.metadata(), self._heard, keeper.queued(), keeper.dead_letters()
        )
        verdicts = judge(evidence)
        self._screen.results(self._plan, books, self._heard)
        self._screen.verdicts(verdicts)
        keeper.close()
        return not any(verdict.breaches for verdict in verdicts)
