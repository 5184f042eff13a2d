"""The demo on the command line; Ctrl-C at any moment ends all that it started."""

import argparse
from pathlib import Path

from dev.demo.cleanup import FAULTS, clean
from dev.demo.console import Screen
from dev.demo.environment import World, deploy, start_servers
from dev.demo.files import read_folder
from dev.demo.process_tree import Run, ignore_interrupts, interrupt_once
from dev.demo.scenario import Play
from dev.demo.session import KEPT_AT, keep, stop
from dev.demo.workload import make_plan
from dev.deploy.stack import Listener
from dev.programs.process import ServerError
from dev.programs.tools import ROOT

SEED = 20260131


def main() -> int:
    """Play once; return 0 when every promise holds, 1 when one is broken, 2 when it could not be played."""
    options = _options()
    if options.action == "stop":
        return stop()
    if options.keep and KEPT_AT.exists():
        print("a demo was left running already: make demo-stop")
        return 2
    interrupt_once()
    demo = Demo(options)
    try:
        return 0 if demo.play() else 1
    except KeyboardInterrupt as interrupted:
        print("\ninterrupted; stopping the servers")
        return 128 + int(interrupted.args[0])
    except (ServerError, ValueError, *FAULTS) as error:
        print(f"the demo cannot go on: {error}")
        return 2
    finally:
        ignore_interrupts()
        demo.end()


class Demo:
    """One demo from its first server to its last, whatever comes between."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._run = Run.start()
        self._screen = Screen()
        self._batch_ids: list[str] = []
        self._world: World | None = None
        self._is_kept = False

    def play(self) -> bool:
        """Play and return whether every promise holds."""
        plan = make_plan(read_folder(self._options.essays), self._run.mark, SEED)
        self._batch_ids = plan.batch_ids
        self._run.make_folder()
        self._world, log = start_servers(f"els-demo-{self._run.mark}", self._screen.wait)
        self._world = world = deploy(self._world, self._screen.wait, log, in_bundles=self._options.bundle)
        listener = Listener(world.endpoint, world.outbound)
        holds = Play(world, plan, self._screen, listener)(tamper=self._options.tamper)
        if self._options.keep:
            keep(self._run, world, plan.batch_ids)
            self._is_kept = True
            self._screen.left_running(plan.batches[0].batch_id)
        return holds

    def end(self) -> None:
        """End what was started and clean what was given, unless it is to be kept."""
        if self._is_kept:
            return
        self._run.end()
        if self._world and self._world.is_given:
            self._screen.say("what it put into the given servers is taken away")
        for what in clean(self._world, self._batch_ids) if self._world else []:
            print(f"could not be taken away: {what}")
        self._screen.say("every server is stopped")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["play", "stop"], default="play")
    parser.add_argument("--essays", type=Path, default=ROOT / "dev" / "essays")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--bundle", action="store_true")
    parser.add_argument("--break", dest="tamper", action="store_true")
    return parser.parse_args()


raise SystemExit(main())
