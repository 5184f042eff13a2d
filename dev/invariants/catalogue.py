"""The promises of the design, by number."""

PROMISES = {
    1: "available, assigned and failed slots are disjoint and together exactly the registered ones",
    2: "a content owns at most one slot, and a slot holds at most one content",
    3: "a batch leaves open once",
    4: "a batch is ready or failed as soon as every slot is used",
    5: "each terminal batch has exactly one terminal event, with one id, and it is not lost",
    6: "every fact that must be announced is in the outbox or was announced",
    7: "every arrival ends in exactly one outcome, and none disappears",
    8: "the final state does not depend on the order or the number of deliveries",
    9: "excess and late are final only when Postgres agrees",
    10: "what Redis lost or has wrong is rebuilt from the record by the next event that notices",
    11: "a business outcome is acknowledged, and poison goes away alone",
    12: "no clock decides but the deadline, in Postgres",
}
