"""The names of a batch's keys; the braces are literal and keep a batch on one cluster slot."""

AVAILABLE_SLOTS = "available_slots"
ASSIGNMENTS = "assignments"
CONTENTS = "contents"
FAILURES = "failures"
METADATA = "metadata"
TIMEOUT = "timeout"

# In the order in which the scripts declare them.
ALL = (AVAILABLE_SLOTS, ASSIGNMENTS, CONTENTS, FAILURES, METADATA, TIMEOUT)


def key(batch_id: str, name: str) -> str:
    """Return the key of one part of a batch."""
    return f"batch:{{{batch_id}}}:{name}"
