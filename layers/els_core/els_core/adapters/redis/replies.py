"""Turns replies of Redis into domain values. Replies are bytes, and anything may come: nothing is trusted.

What is not a sensible reply is `unknown`, or unreadable for the audit; nothing of it goes further.
"""

from __future__ import annotations

import json
import re
from itertools import batched
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import content_identity
from els_core.domain.audit import CoordinatorView, UnreadableView
from els_core.domain.batches import AssignedSlot
from els_core.domain.outcomes import Proposal, ProposalKind

if TYPE_CHECKING:
    from collections.abc import Sequence

# The same 15 digits as in install.lua: Lua's numbers are exact up to 2**53.
_VERSION = re.compile(rb"[1-9][0-9]{0,14}")
_PROPOSAL = re.compile(
    rb"(?P<kind>assigned|duplicate|failed|full|unknown)(?: (?P<slot>[A-Za-z0-9_.:\-]{1,128}))?"
)
_ID = re.compile(rb"[A-Za-z0-9_.:\-]{1,128}")
_IDENTITY = re.compile(rb"[A-Za-z0-9_.:\-]{1,135}")
_SECONDS = re.compile(rb"[0-9]{1,11}(\.[0-9]{1,9})?")


def proposals_of(reply: object, count: int) -> list[Proposal]:
    """Return `count` proposals: the version of the batch comes first, then an answer per arrival."""
    if not isinstance(reply, list) or len(reply) != count + 1:
        return [Proposal(ProposalKind.UNKNOWN)] * count
    version = _version_of(reply[0])
    return [_proposal_of(answer, version) for answer in reply[1:]]


def view_of(reply: object) -> CoordinatorView | UnreadableView | None:
    """Return what Redis knows of a batch; None if it does not know it."""
    if reply == b"unknown":
        return None
    try:
        version, proposed_at, available, contents, failures = _fields_of(reply)
        known_version = _version_of(version)
        if known_version is None:
            return UnreadableView()
        slot_by_identity = {content_identity(_text(name, _ID)): _text(slot, _ID) for name, slot in contents}
        slot_by_identity |= {_text(name, _IDENTITY): _text(slot, _ID) for name, slot in failures}
        return CoordinatorView(
            known_version,
            frozenset(_text(slot, _ID) for slot in available),
            slot_by_identity,
            float(_text(proposed_at, _SECONDS)) if proposed_at else None,
        )
    except ValueError:
        return UnreadableView()


def assigned_slots_of(reply: object) -> list[AssignedSlot]:
    """Return the slots that are proposed to contents, sorted by essay id; what makes no sense is left out."""
    slots: list[AssignedSlot] = []
    for name, content in reply.items() if isinstance(reply, dict) else ():
        try:
            text_storage_id, file_name, upload_id = json.loads(content)
            slots.append(AssignedSlot(_text(name, _ID), text_storage_id, file_name, upload_id))
        except (ValueError, TypeError):
            continue
    return sorted(slots, key=lambda slot: slot.essay_id)


def ids_of(reply: object) -> list[str]:
    """Return ids, sorted; what is no id is left out."""
    members = reply if isinstance(reply, set | list | tuple) else ()
    return sorted(one.decode() for one in members if isinstance(one, bytes) and _ID.fullmatch(one))


def _proposal_of(answer: object, version: int | None) -> Proposal:
    unknown = Proposal(ProposalKind.UNKNOWN, None, version)
    found = _PROPOSAL.fullmatch(answer) if isinstance(answer, bytes) and version is not None else None
    if found is None:
        return unknown
    kind = ProposalKind(found["kind"].decode())
    match kind:
        case ProposalKind.ASSIGNED | ProposalKind.DUPLICATE | ProposalKind.FAILED:
            return Proposal(kind, found["slot"].decode(), version) if found["slot"] else unknown
        case ProposalKind.FULL:
            return unknown if found["slot"] else Proposal(kind, None, version)
        case ProposalKind.UNKNOWN:
            return unknown
        case _:
            assert_never(kind)


def _version_of(reply: object) -> int | None:
    return int(reply) if isinstance(reply, bytes) and _VERSION.fullmatch(reply) else None


def _fields_of(
    reply: object,
) -> tuple[object, object, Sequence[object], list[tuple[object, object]], list[tuple[object, object]]]:
    if not isinstance(reply, list):
        raise ValueError("no list")  # noqa: TRY004 - one error for all that makes no sense
    version, proposed_at, available, contents, failures = reply
    if not all(isinstance(part, list) for part in (available, contents, failures)):
        raise ValueError("no lists")
    return version, proposed_at, available, _pairs(contents), _pairs(failures)


def _pairs(flat: list[object]) -> list[tuple[object, object]]:
    return [(name, value) for name, value in batched(flat, 2, strict=True)]


def _text(reply: object, pattern: re.Pattern[bytes]) -> str:
    if not isinstance(reply, bytes) or not pattern.fullmatch(reply):
        raise ValueError("not what belongs here")
    return reply.decode()
