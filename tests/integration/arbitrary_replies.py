"""Seeded replies of Redis's protocol: words of the scripts, odd bytes, other types, errors, no protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.redis_stubs import Reply

if TYPE_CHECKING:
    from random import Random

ODD = (
    b"",
    b"QUEUED",
    b"assigned",
    b"assigned ",
    b"full essay-0000",
    b"\x00",
    b"assigned essay-0000\x00",
    b"assigned \xff\xfe",
    b"duplicate '; DROP TABLE batches",
    b"failed " + b"x" * 129,
    b"assigned no-such-slot",
    b"nan",
    b"-1",
    b"inf",
    b"1e999",
    b"9" * 40,
    b"1000000",
    "å\ud7ff".encode(),
)
WORDS = (b"assigned", b"duplicate", b"failed")
ERRORS = (
    b"ERR unknown command",
    b"READONLY no writes",
    b"MOVED 1 127.0.0.1:1",
    b"WRONGTYPE",
    b"",
    b"\xff\xfe",
)
BROKEN = (b"", b"!", b"*3\r\n", b"$5\r\nab", b"$x\r\n", b"\r\n", b"*1\r\n" * 3_000, b":x\r\n", b"*-5\r\n")


def arbitrary_reply(dice: Random, arrivals: int) -> Reply:
    """Return a reply to a script for so many arrivals; one that is no protocol closes the connection."""
    match dice.randrange(10):
        case 0:
            return Reply(dice.choice(BROKEN), closes=True)
        case 1:
            return Reply(b"-" + dice.choice(ERRORS) + b"\r\n")
        case 2:
            return Reply(_value(dice))
        case 3:
            return Reply(_array([_value(dice) for _ in range(dice.randrange(arrivals + 4))]))
        case _:
            version = dice.choice([b"1", b"2", b"3", *ODD])
            answers = [_answer(dice) for _ in range(arrivals)]
            return Reply(_array([_bulk(version), *answers]))


def _answer(dice: Random) -> bytes:
    if dice.randrange(3) == 0:
        return _value(dice)
    slot = b"essay-%04d" % dice.randrange(6)
    return _bulk(dice.choice([b"full", b"unknown", *(word + b" " + slot for word in WORDS)]))


def _value(dice: Random) -> bytes:
    match dice.randrange(6):
        case 0:
            return b":%d\r\n" % dice.choice([0, 1, -1, 2**63 - 1])
        case 1:
            return dice.choice([b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"+full\r\n", b"-ERR inside\r\n"])
        case 2:
            return _array([_bulk(dice.choice(ODD)) for _ in range(dice.randrange(3))])
        case 3:
            return _bulk(dice.randbytes(dice.randrange(40)))
        case _:
            return _bulk(dice.choice(ODD))


def _array(items: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(items) + b"".join(items)


def _bulk(text: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text)
