"""The demo on the command line; Ctrl-C at any moment ends all that it started."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from dev.demo.files import read_folder
from dev.demo.kept import KEPT_AT, stop
from dev.demo.plan import make_plan
from dev.demo.play import Play
from dev.demo.run import Run, ignore_interrupts, interrupt_once
from dev.demo.screen import Screen
from dev.demo.world import clean, make_world
from dev.process import ServerError
from dev.stack import Listener
from dev.tools import ROOT

SEED = 20260131


def main() -> int:
    """Play once; return 1 when a promise is broken."""
    options = _options()
    if options.action == "stop":
        return stop()
    interrupt_once()
    run = Run.start()
    kept = False
    try:
        try:
            run.make_folder()
            holds = _play(run, options)
            kept = options.keep
        except KeyboardInterrupt:
            print("\ninterrupted; stopping the servers")
            return 130
        except (ServerError, ValueError) as error:
            print(f"the demo cannot go on: {error}")
            return 2
        finally:
            ignore_interrupts()
    finally:
        if not kept:
            run.end()
    return 0 if holds else 1


def _play(run: Run, options: argparse.Namespace) -> bool:
    screen = Screen()
    plan = make_plan(read_folder(options.essays), run.mark, SEED)
    name = f"els-demo-{run.mark}"
    world = make_world(name, screen.wait)
    listener = Listener(world.stack.endpoint, world.outbound)
    try:
        holds = Play(world, plan, screen, listener)(tamper=options.tamper)
    finally:
        if not options.keep:
            clean(world, plan, listener)
    if options.keep:
        _keep(run, asdict(world), screen, plan.batches[0].batch_id)
    return holds


def _keep(run: Run, world: dict[str, object], screen: Screen, batch_id: str) -> None:
    KEPT_AT.parent.mkdir(exist_ok=True)
    KEPT_AT.write_text(json.dumps({"mark": run.mark, "folder": str(run.folder), "world": world}))
    send = ".venv/bin/python -m dev.demo.kept send EssayContentProvisioned"
    sample = {
        "batch_id": batch_id,
        "text_storage_id": "text-1",
        "raw_file_storage_id": "raw-1",
        "original_file_name": "late.txt",
        "file_size_bytes": 900,
    }
    screen.console.print(
        f"Everything is left running.\n  send an event:   {send} '{json.dumps(sample)}'\n"
        f"  look at a batch: .venv/bin/python -m dev.demo.kept look {batch_id}\n"
        "  stop it:         make demo-stop",
        markup=False,
        soft_wrap=True,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["play", "stop"], default="play")
    parser.add_argument("--essays", type=Path, default=ROOT / "dev" / "essays")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--break", dest="tamper", action="store_true")
    return parser.parse_args()


raise SystemExit(main())
