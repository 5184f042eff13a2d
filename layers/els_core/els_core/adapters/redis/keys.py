"""The key names of a batch. The braces are a hash tag: they keep a batch on one cluster slot."""

AVAILABLE_SLOTS = "available_slots"
ASSIGNMENTS = "assignments"
CONTENTS = "contents"
FAILURES = "failures"
METADATA = "metadata"
TIMEOUT = "timeout"

# In the order of the scripts' KEYS.
ALL = (AVAILABLE_SLOTS, ASSIGNMENTS, CONTENTS, FAILURES, METADATA, TIMEOUT)


def key(batch_id: str, name: str) -> str:
    """Return the key of one part of a batch."""
    return f"batch:{{{batch_id}}}:{name}"
