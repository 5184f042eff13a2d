"""The demo validates files as the file service does, and makes a workload of every folder with an essay."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from dev.demo.files import File, ValidationFailure, read_folder, validate
from dev.demo.process_tree import temporary_folder
from dev.demo.workload import make_workload
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ESSAYS = ROOT / "dev" / "essays"
ESSAY = b"I once had a cat that could open every door but its own. " * 3
KINDS = {"BatchEssaysReady", "BatchValidationErrors", "BatchReadinessTimeout"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "EMPTY_CONTENT"),
        (b" \n\t ", "EMPTY_CONTENT"),
        (b"a" * 49, "CONTENT_TOO_SHORT"),
        (b"a" * 50_001, "CONTENT_TOO_LONG"),
        (b"\x89PNG\r\n\x1a\n\x00\x00" * 20, "TEXT_EXTRACTION_FAILED"),
    ],
)
def test_a_file_that_is_not_an_essay_fails_with_its_code(body: bytes, code: str) -> None:
    failure = validate(body)
    assert isinstance(failure, ValidationFailure)
    assert failure.code == code


@pytest.mark.parametrize("text", ["a" * 50, "a" * 50_000, "å" * 50_000])
def test_50_to_50_000_characters_are_an_essay(text: str) -> None:
    assert validate(text.encode()) == text


def test_windows_1252_and_a_byte_order_mark_are_read() -> None:
    text = "Smörgåsbord på ön är något alldeles särskilt, tycker jag."
    assert validate(text.encode("cp1252")) == text
    assert validate(b"\xef\xbb\xbf" + text.encode()) == text


def test_files_of_subfolders_are_read_and_hidden_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "class 9b").mkdir()
    for name in ("a.txt", ".DS_Store", "class 9b/b.txt"):
        (tmp_path / name).write_bytes(ESSAY)
    assert [file.name for file in read_folder(tmp_path)] == ["a.txt", "b.txt"]


def test_a_folder_without_essays_is_rejected_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no files"):
        read_folder(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="no file has 50 to 50 000 characters"):
        make_workload([File("short.txt", b"too short")], "run", 1)


def test_the_essays_of_the_demo_are_of_every_kind() -> None:
    checked = [validate(file.body) for file in read_folder(ESSAYS)]
    codes = {each.code for each in checked if isinstance(each, ValidationFailure)}
    assert sum(isinstance(each, str) for each in checked) >= 30
    assert codes >= {"EMPTY_CONTENT", "CONTENT_TOO_SHORT", "TEXT_EXTRACTION_FAILED"}


def test_the_names_of_the_essays_need_no_quotes_in_a_shell() -> None:
    names = [path.name for path in ESSAYS.iterdir()]
    assert len(names) > 30
    assert [name for name in names if not re.fullmatch(r"[\w.-]+", name)] == []


@pytest.mark.parametrize("count", [1, 3, 7, 300])
def test_a_workload_of_any_number_of_files_shows_everything(count: int) -> None:
    workload = make_workload([File(f"{number}.txt", ESSAY) for number in range(count)], "run", 1)
    assert {batch.final for batch in workload.batches} == KINDS
    sent = Counter(each.event_id for each in workload.announcements)
    assert sum(sent.values()) - len(sent) == workload.duplicates >= len(sent) // 20
    crowded = next(batch for batch in workload.batches if batch.name == "crowded")
    assert len(crowded.uploads) > crowded.slots > 0


def test_some_files_precede_their_batch_and_all_events_are_shuffled() -> None:
    workload = make_workload(read_folder(ESSAYS), "run", 1)
    order = [(each.data["batch_id"], each.detail_type) for each in workload.announcements]
    registered = order.index(("demo-run-early", "BatchEssaysRegistered"))
    assert order.index(("demo-run-early", "EssayContentProvisioned")) < registered
    assert len({batch_id for batch_id, _ in order[:15]}) > 3


def test_the_incomplete_batch_has_files_before_and_after_the_flush_of_redis() -> None:
    workload = make_workload(read_folder(ESSAYS), "run", 1)
    mine = [each.data["batch_id"] == workload.incomplete.batch_id for each in workload.announcements]
    assert any(mine[: workload.flush_after])
    assert any(mine[workload.flush_after + 5 :]), "the group after which Redis is flushed is not the last"


def test_the_servers_use_a_folder_in_memory_only_where_it_is_large_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert temporary_folder(tmp_path / "nowhere", tmp_path) == tmp_path
    monkeypatch.setattr("dev.demo.process_tree.MIN_FREE_BYTES", 1)
    assert temporary_folder(tmp_path, tmp_path / "disk") == tmp_path
    monkeypatch.setattr("dev.demo.process_tree.MIN_FREE_BYTES", 1 << 60)
    assert temporary_folder(tmp_path, tmp_path / "disk") == tmp_path / "disk"
