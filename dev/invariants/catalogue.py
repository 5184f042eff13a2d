"""The invariants of the service by number; every judge cites them from here.

They hold at every instant, after any crash, redelivery, reordering, loss of Redis or concurrent invocation.
"""

from typing import Final

INVARIANTS: Final = {
    1: "Available, assigned and failed slots are disjoint and together are exactly the registered slots.",
    2: "A content owns at most one slot and a slot one content; a duplicate gets the first answer.",
    3: "A batch leaves open once: completion and timeout compete for one row, and one wins.",
    4: "A batch is ready or failed as soon as every slot is used, whatever the last event was.",
    5: "Each terminal batch has exactly one terminal event; its id never changes and it is never lost.",
    6: "Every fact that must be announced is in the outbox in the transaction that made it a fact.",
    7: "Every arrival ends in exactly one outcome; one that precedes the registration is parked until then.",
    8: "The order and number of deliveries decide nothing but which arrivals are excess or late.",
    9: "Excess and late are final only when Postgres agrees.",
    10: "Nothing that Redis answers or forgets breaks an invariant; the next event repairs Redis.",
    11: "A business outcome is acknowledged, only faults are retried, and poison blocks no neighbour.",
    12: "No clock and no time-to-live decides anything but the deadline, and Postgres decides that one.",
}
