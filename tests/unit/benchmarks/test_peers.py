"""Peers are counted fairly: the same deliveries, and every final result of each batch."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.peers.catalogue import ENVIRONMENTS, FOLDER, PEERS, NotInstallableError, Peer
from benchmarks.peers.protocol import Job, drive
from benchmarks.peers.run import PeerRun, deliveries
from benchmarks.workload import Workload, WorkloadSize

if TYPE_CHECKING:
    from pathlib import Path

WORKLOAD = Workload.generate(WorkloadSize(3, 20))


def test_each_slot_of_each_batch_is_used_once_and_a_tenth_comes_twice() -> None:
    given = deliveries(WORKLOAD)
    distinct = Counter(batch for batch, _ in set(given))
    assert set(distinct.values()) == {20}
    assert len(given) - len(set(given)) > 0


def test_only_one_final_result_after_the_last_arrival_is_right() -> None:
    complete = dict.fromkeys(("right", "early", "twice", "never"), 2.0)
    finals = {"right": [3.0], "early": [1.0], "twice": [3.0, 4.0]}
    run = PeerRun(40, 4, 0.0, complete, finals)
    assert (run.exactly_one, run.early) == (1, 1)
    assert run.histogram == {0: 1, 1: 2, 2: 1}
    assert run.latencies == [1.0, 1.0]
    assert run.per_second == pytest.approx(40 / 3)


def test_a_peer_that_announces_nothing_has_no_rate() -> None:
    assert PeerRun(40, 4, 5.0, {}, {}).per_second == 0


@pytest.fixture
def job(tmp_path: Path) -> Job:
    arrivals = [("a", "1"), ("b", "1"), ("a", "1"), ("a", "2")]
    return Job({"a": 2, "b": 2}, arrivals, "", "", str(tmp_path / "finals"), str(tmp_path / "answer"), ())


@pytest.mark.parametrize("in_flight", [1, 3])
def test_the_last_arrival_that_a_batch_needs_is_noted_and_duplicates_do_not_count(
    job: Job, in_flight: int
) -> None:
    given: list[tuple[str, str]] = []
    job = replace(job, patience=0.1)
    drive(job, lambda *arrival: given.append(arrival), in_flight=in_flight)
    with open(job.answer, encoding="utf-8") as file:  # noqa: PTH123 - the path is a text, as in the job
        answer = json.load(file)
    assert sorted(given) == sorted(job.arrivals)
    assert list(answer["complete"]) == ["a"]
    assert answer["finals"] == {}


def test_every_final_result_of_a_batch_is_read(job: Job) -> None:
    for batch in ("a", "b", "a"):
        job.announce(batch)
    assert {batch: len(times) for batch, times in job.announced().items()} == {"a": 2, "b": 1}


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_package_of_a_peer_is_pinned(peer: Peer) -> None:
    assert any((FOLDER / f"{peer.module}.{suffix}").exists() for suffix in ("py", "mjs"))
    assert peer.pypi or peer.npm
    if peer.pypi:
        lines = (ENVIRONMENTS / f"{peer.pypi}.txt").read_text("utf-8").splitlines()
        assert all("==" in line for line in lines if not line.startswith("#"))
    if peer.npm:
        lock = json.loads((ENVIRONMENTS / peer.npm / "package-lock.json").read_text("utf-8"))
        assert all("integrity" in package for path, package in lock["packages"].items() if path)


def test_a_peer_that_cannot_be_installed_says_why_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV", sys.executable)  # it knows no command `run`
    with pytest.raises(NotInstallableError) as caught:
        Peer("Celery chord", "celery_chord", pypi="celery").install()
    assert str(caught.value).startswith("Celery chord is left out: ")
    assert "\n" not in str(caught.value)
