"""Which arrivals lose their place to others, and who gets their slots. Pure functions.

An arrival names what it replaces; the old one is superseded for good, whether it has come or not. What is
superseded supersedes in turn what it names, so the result does not depend on the order of the arrivals.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from els_core.domain.arrivals import Content, Failure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from els_core.domain.arrivals import Arrival


@dataclass(frozen=True, slots=True)
class SupersededArrival:
    """An arrival that is superseded from now on, and the slot that it had, if any.

    `by_identity` is the arrival that replaced it, `by_command` the command that did it.
    """

    identity: str
    essay_id: str | None = None
    by_identity: str | None = None
    by_command: str | None = None


def takes_effect(arrival: Arrival) -> bool:
    """Tell whether an arrival replaces what it names; a failure does so only once it is superseded itself."""
    match arrival:
        case Content():
            return True
        case Failure():
            return False
        case _:
            assert_never(arrival)


def is_failed_replacement(arrival: Arrival) -> bool:
    """Tell whether a failure was meant to replace an arrival: the old one stands, and it uses no slot."""
    return arrival.supersedes is not None and not takes_effect(arrival)


def superseded_by(
    effective: Iterable[str], names: Mapping[str, str], already: Collection[str]
) -> dict[str, str]:
    """Return the identities that become superseded, each with the identity that supersedes it.

    `effective` are the identities whose `supersedes` takes effect, `names` tells what an identity names, and
    `already` what is superseded before.
    """
    found: dict[str, str] = {}
    waiting = deque(effective)
    while waiting:
        identity = waiting.popleft()
        target = names.get(identity)
        if target is not None and target not in found and target not in already:
            found[target] = identity
            waiting.append(target)
    return found


def heirs(
    arrivals: Sequence[Arrival], names: Mapping[str, str], freed: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the freed slot that each of these arrivals takes over, by identity, and the slots left over.

    `freed` maps superseded identities to their slots. An arrival follows the chain of names down to a slot;
    of two that replace the same one the first takes it.
    """
    left = dict(freed)
    claims: dict[str, str] = {}
    for arrival in arrivals:
        target, seen = arrival.supersedes, set[str]()
        while target is not None and target not in left and target not in seen:
            seen.add(target)
            target = names.get(target)
        if target in left:
            claims[arrival.identity] = left.pop(target)
    return claims, list(left.values())
