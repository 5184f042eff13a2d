"""From the messages of dead-letter queues to what the HTTP API shows of them."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from els_core.application.ports.dead_letters import QueueView, StoredDeadLetter
from els_core.contracts.system_answers import DeadLetter, DeadLetterList, DeadLetterQueue

MAX_BYTES = 700_000  # of bodies in JSON, so that an answer stays below 1 MB
_ID = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")


def dead_letter_list(views: Sequence[QueueView], *, with_bodies: bool) -> DeadLetterList:
    """Return the answer for some dead-letter queues; bodies that would make it too large are left out."""
    left = MAX_BYTES if with_bodies else 0
    letters = []
    for letter in (one for view in views for one in view.letters):
        size = len(json.dumps(letter.body))
        body, left = (letter.body, left - size) if size <= left else (None, left)
        letters.append(_shown(letter, body))
    queues = [DeadLetterQueue(queue=view.queue, count=view.count) for view in views]
    return DeadLetterList(queues=queues, dead_letters=letters)


def _shown(letter: StoredDeadLetter, body: str | None) -> DeadLetter:
    event = _parsed(letter.body)
    return DeadLetter(
        queue=letter.queue,
        message_id=letter.message_id,
        detail_type=_text(event, ["detail-type"]),
        batch_id=_text(event, ["detail", "data", "batch_id"]),
        event_id=_text(event, ["detail", "metadata", "event_id"]),
        error_code=letter.attributes.get("error_code"),
        field=letter.attributes.get("field"),
        reason=letter.attributes.get("reason"),
        receive_count=letter.receive_count,
        sent_at=letter.sent_at,
        body=body,
    )


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _text(event: Any, path: Iterable[str]) -> str | None:
    """Return an id of the event, or None for what is none: anything at all may lie in these queues."""
    for name in path:
        event = event.get(name) if isinstance(event, dict) else None
    return event if isinstance(event, str) and _ID.fullmatch(event) else None
