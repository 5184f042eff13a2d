"""The demo checks files as the service upstream does, and plans every folder that holds an essay."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from dev.demo.files import File, Refusal, check, read_folder
from dev.demo.process_tree import roomy
from dev.demo.workload import make_plan
from dev.programs.tools import ROOT

if TYPE_CHECKING:
    from pathlib import Path

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
def test_a_file_that_is_no_essay_is_refused_with_its_code(body: bytes, code: str) -> None:
    refusal = check(body)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


@pytest.mark.parametrize("text", ["a" * 50, "a" * 50_000, "å" * 50_000])
def test_50_to_50_000_characters_are_an_essay(text: str) -> None:
    assert check(text.encode()) == text


def test_what_an_old_editor_saved_is_read() -> None:
    text = "Smörgåsbord på ön är något alldeles särskilt, tycker jag."
    assert check(text.encode("cp1252")) == text
    assert check(b"\xef\xbb\xbf" + text.encode()) == text


def test_files_of_subfolders_are_read_and_hidden_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "class 9b").mkdir()
    for name in ("a.txt", ".DS_Store", "class 9b/b.txt"):
        (tmp_path / name).write_bytes(ESSAY)
    assert [file.name for file in read_folder(tmp_path)] == ["a.txt", "b.txt"]


def test_a_folder_without_essays_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no files"):
        read_folder(tmp_path)
    with pytest.raises(ValueError, match="is no folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="no file holds 50 to 50 000 characters"):
        make_plan([File("short.txt", b"too short")], "run", 1)


def test_the_bundled_essays_hold_every_kind_of_file() -> None:
    checked = [check(file.body) for file in read_folder(ROOT / "dev" / "essays")]
    codes = {each.code for each in checked if isinstance(each, Refusal)}
    assert sum(isinstance(each, str) for each in checked) >= 30
    assert codes >= {"EMPTY_CONTENT", "CONTENT_TOO_SHORT", "TEXT_EXTRACTION_FAILED"}


@pytest.mark.parametrize("count", [1, 3, 7, 300])
def test_a_plan_of_any_number_of_files_shows_everything(count: int) -> None:
    plan = make_plan([File(f"{number}.txt", ESSAY) for number in range(count)], "run", 1)
    assert {batch.final for batch in plan.batches} == KINDS
    said = Counter(each.event_id for each in plan.announcements)
    assert sum(said.values()) - len(said) == plan.duplicates >= len(said) // 20
    crowded = next(batch for batch in plan.batches if batch.name == "crowded")
    assert len(crowded.uploads) > crowded.slots > 0


def test_in_the_plan_some_files_come_before_their_batch_and_all_of_it_is_shuffled() -> None:
    plan = make_plan(read_folder(ROOT / "dev" / "essays"), "run", 1)
    order = [(said.data["batch_id"], said.detail_type) for said in plan.announcements]
    registered = order.index(("demo-run-early", "BatchEssaysRegistered"))
    assert order.index(("demo-run-early", "EssayContentProvisioned")) < registered
    assert len({batch_id for batch_id, _ in order[:15]}) > 3


def test_when_redis_forgets_the_unfinished_batch_has_files_before_and_after() -> None:
    plan = make_plan(read_folder(ROOT / "dev" / "essays"), "run", 1)
    mine = [each.data["batch_id"] == plan.overdue.batch_id for each in plan.announcements]
    assert any(mine[: plan.forget_after])
    assert any(mine[plan.forget_after + 5 :]), "the group in which it forgets is not the last"


def test_the_servers_lie_in_memory_only_where_there_is_plenty_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert roomy(tmp_path / "nowhere", tmp_path) == tmp_path
    monkeypatch.setattr("dev.demo.process_tree.ENOUGH", 1)
    assert roomy(tmp_path, tmp_path / "disk") == tmp_path
    monkeypatch.setattr("dev.demo.process_tree.ENOUGH", 1 << 60)
    assert roomy(tmp_path, tmp_path / "disk") == tmp_path / "disk"
