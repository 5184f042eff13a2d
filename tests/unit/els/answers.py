"""Answers of the API, as its models have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def batch(batch_id: str = "b1", **different: Any) -> dict[str, Any]:
    """Return a batch as a list has it, with what a command reads of the whole one."""
    return {
        "batch_id": batch_id,
        "status": "open",
        "sentence": "waiting for 1 of 2: e2",
        "mover": "upstream",
        "is_stuck": False,
        "epoch": 1,
        "version": 3,
        "expected_count": 2,
        "assigned_count": 1,
        "failed_count": 0,
        "course_code": "ENG5",
        "deadline": "2026-01-31T12:00:00Z",
        "changed_at": "2026-01-30T12:00:00Z",
        "announcement": None,
        "commands": [],
        "rejected_registrations": [],
        "next_page_token": None,
        **different,
    }


def listed(batches: Sequence[dict[str, Any]], token: str | None = None) -> dict[str, Any]:
    return {"batches": list(batches), "next_page_token": token}


def applied(**different: Any) -> dict[str, Any]:
    """Return the answer to a command that was applied."""
    return {
        "command_id": "c",
        "command": "cancel",
        "refusal": None,
        "status": "cancelled",
        "epoch": 1,
        "version": 4,
        "withdrawn_essay_ids": [],
        "released": [],
        "taken_in_count": 0,
        "is_repeated": False,
        "is_dry_run": False,
        **different,
    }
