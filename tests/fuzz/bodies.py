"""Bodies made of valid events by random damage, each repeatable by its seed."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

from dev.programs.tools import ROOT

# Stands for personal data: no reason, field or log may repeat it.
PERSONAL = "Anna-19991212-1234"
EXAMPLES = ("register_batch", "provision_content")
EMOJI = "\U0001f4dd"

# Values that are odd where a string, a number, a moment, a list or an object belongs.
ODD: tuple[object, ...] = (
    *(None, True, False, 0, 1, -1, 1.0, -0.0, 1e308, 2**31, 2**53, 2**63 - 1, 2**63, 10**40),
    *("", " ", "\0", "\x1b[31m", "\ufeff", "\uffff", EMOJI, EMOJI * 300, "a" * 129, "a\n", "é", "İ", "ß"),
    *(
        PERSONAL,
        f"{PERSONAL}\0",
        "STORAGE_FAILED",
        "null",
        "NaN",
        "1",
        "true",
        "../../etc/passwd",
        "{}",
        "[]",
    ),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-01-31"),
    *(
        "1738324800",
        "2026-01-31T12:00:00",
        "2026-01-31t12:00:00z",
        "2026-W05-6T12:00:00Z",
        "2026-06-30T23:59:60Z",
    ),
    *("urn:uuid:2d9f5f5e-0000-4000-8000-000000000001", "{2d9f5f5e00004000800000000000000a}", "g" * 36),
    *([], [[]], [None], ["a", "a"], [PERSONAL], {}, {"a": {}}, {PERSONAL: PERSONAL}, {"": ""}),
)
RAW: tuple[str, ...] = (
    *(
        "",
        " ",
        "null",
        "1",
        '"',
        "[",
        "{",
        "{}",
        "[]",
        "nul",
        "NaN",
        "\0",
        "\ufeff{}",
        "9" * 5_000,
        "[" * 500,
    ),
    *(
        '{"detail":' * 300,
        '{"a":1}{"a":2}',
        "{'a': 1}",
        '{"a": "\\ud800"}',
        '{"a": "\ud800"}',
        '{"\\u0000": 1}',
    ),
)


def body(seed: int) -> str:
    """Return the body of a seed: a valid event that was damaged one to four times, or no event at all."""
    random = Random(seed)  # noqa: S311 - repeatable
    if random.random() < 0.03:
        return random.choice(RAW)
    event = deepcopy(_EXAMPLES[random.randrange(len(_EXAMPLES))])
    for _ in range(random.randint(1, 4)):
        _damage(event, random)
    text = json.dumps(event, ensure_ascii=random.random() < 0.5)
    return _damage_text(text, random) if random.random() < 0.1 else text


def _damage(event: dict[str, Any], random: Random) -> None:
    """Change one place of the event."""
    parent, name = random.choice(list(_places(event)))
    match random.randrange(6):
        case 0 | 1 | 2:
            parent[name] = deepcopy(random.choice(ODD))
        case 3:
            del parent[name]
        case 4:
            parent[name] = _longer(parent[name], random)
        case _:
            parent[random.choice((PERSONAL, "batch_id", "extra", "detail-type", "detail"))] = random.choice(
                ODD
            )


def _places(node: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return every place of an object and of the objects in it."""
    places: list[tuple[dict[str, Any], str]] = []
    for name, value in node.items():
        places.append((node, name))
        if isinstance(value, dict):
            places.extend(_places(value))
    return places or [(node, "detail")] * bool(node)


def _longer(value: object, random: Random) -> object:
    times = random.choice((2, 130, 2_100))
    if isinstance(value, str):
        return (value * times)[:20_000]
    if isinstance(value, list):
        return [f"essay-{number}" for number in range(times)]
    return [value] * 3


def _damage_text(text: str, random: Random) -> str:
    """Cut, repeat or replace a piece of the text."""
    at = random.randrange(len(text))
    match random.randrange(3):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + text[max(at - 20, 0) :]
        case _:
            return text[:at] + random.choice(("\0", '"', "}", "\\", "\ud800", EMOJI, ",")) + text[at + 1 :]


def _example(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))
    found: dict[str, Any] = json.loads(event["Records"][0]["body"])
    return found


def _failed(event: dict[str, Any]) -> dict[str, Any]:
    """Return a failure made of the example of a content."""
    failed = deepcopy(event)
    failed["detail-type"] = "EssayValidationFailed"
    failed["detail"]["data"] |= {
        "validation_error_code": "EMPTY_CONTENT",
        "validation_error_message": "empty",
    }
    return failed


_EXAMPLES = (*map(_example, EXAMPLES), _failed(_example("provision_content")))
