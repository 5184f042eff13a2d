"""What a case does: fill the stores, call a function, and say what must be true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dev.limits import sql
from dev.programs.process import ServerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev.limits.function_process import FunctionProcess
    from dev.limits.invocation import Invocation
    from dev.limits.stores import Stores
    from dev.limits.template import FunctionLimits

MAX_RUNS = 100
MAX_ANSWER_BYTES = 6 * (1 << 20)  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


@dataclass(frozen=True)
class Scale:
    """How large a case is: `slots` is the limit of the contract, the others are those of a very bad day."""

    slots: int = 2_000
    batches: int = 100
    registrations: int = 10
    backlog: int = 100_000
    messages: int = 1_000
    copies: int = 60


QUICK = Scale(batches=5, registrations=2, backlog=1_200, messages=50, copies=3)


@dataclass
class CaseRun:
    """The stores and the function of one case, what its calls took, and what did not hold."""

    scale: Scale
    stores: Stores
    function: FunctionProcess
    limits: FunctionLimits
    rounds: int = 0
    invocations: list[Invocation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def invoke(self, *events: Any) -> list[Any]:
        """Call the function on all events at once; return the answers."""
        self.rounds += 1
        try:
            invocations = self.function.invoke(events)
        except ServerError as error:
            self.problems.append(str(error))
            return []
        self.invocations += invocations
        self.problems += [f"it raised: {one.error}" for one in invocations if one.error is not None]
        return [one.answer for one in invocations]

    def repeat(self, event: Any, left: str) -> None:
        """Call the function until the statement `left` counts nothing more; each call must get further."""
        before = self.stores.count(left)
        while before and self.rounds < MAX_RUNS and not self.problems:
            self.invoke(event)
            after = self.stores.count(left)
            self.require(after < before, f"a run left {after} of {before}")
            before = after

    def deliver(self, event: dict[str, Any]) -> None:
        """Call the function with messages until all are acknowledged; each call must get further."""
        while event["Records"] and self.rounds < MAX_RUNS and not self.problems:
            for answer in self.invoke(event):
                again = delivered_again(event, answer)
                self.require(
                    len(again["Records"]) < len(event["Records"]),
                    f"a run acknowledged none of {len(event['Records'])} messages",
                )
                event = again

    def require(self, holds: bool, problem: str) -> None:  # noqa: FBT001 - a condition, as in assert
        """Note a problem unless the condition holds."""
        if not holds:
            self.problems.append(problem)

    def require_count(self, statement: str, expected: int, what: str) -> None:
        """Note a problem unless the statement counts so many."""
        found = self.stores.count(statement)
        self.require(found == expected, f"{found} {what} instead of {expected}")

    def require_results(self, batches: int) -> None:
        """Note a problem unless so many batches have one final result each, on the bus or waiting for it."""
        found: dict[str, set[str]] = {}
        for batch_id, event_id in self.stores.run(sql.FINALS_TO_SEND):
            found.setdefault(str(batch_id), set()).add(str(event_id))
        for batch_id, ids in self.stores.bus.take_summary()["terminal"].items():
            found.setdefault(batch_id, set()).update(ids)
        once = sum(len(ids) == 1 for ids in found.values())
        self.require(once == batches, f"{once} of {batches} batches have one final result")


def delivered_again(event: dict[str, Any], answer: Any) -> dict[str, Any]:
    """Return what SQS delivers again: the messages that the answer names, or all without an answer."""
    if answer is None:
        return event
    failed: Sequence[str] = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    return {"Records": [record for record in event["Records"] if record["messageId"] in set(failed)]}
