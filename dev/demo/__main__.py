"""`make demo`: deploy the template on a local AWS, send it real files, check every invariant.

It runs on Linux and macOS, on x86-64 and arm64, and needs no Docker. Ctrl-C stops everything that it started.
"""

import argparse
import platform
from pathlib import Path

from dev.demo.cleanup import clean
from dev.demo.client_errors import CLIENT_ERRORS
from dev.demo.console import Console
from dev.demo.environment import Environment, deploy, start_servers
from dev.demo.files import read_folder
from dev.demo.page import serve_page
from dev.demo.process_tree import ProcessTree, ignore_interrupts, interrupt_once
from dev.demo.scenario import Scenario
from dev.demo.session import SESSION_FILE, save, stop
from dev.demo.workload import make_workload
from dev.deploy.stack import EventConsumer
from dev.programs.process import ServerError
from dev.programs.tools import ROOT

SEED = 20260131


def main() -> int:
    """Return 0 when every invariant holds, 1 when one is violated, 2 when the demo cannot run."""
    options = _options()
    if options.action == "stop":
        return stop()
    if options.keep and SESSION_FILE.exists():
        print("A demo is still running: stop it with make demo-stop.")
        return 2
    interrupt_once()
    demo = Demo(options)
    try:
        return 0 if demo.run() else 1
    except KeyboardInterrupt as interrupted:
        print("\nInterrupted.")
        return 128 + int(interrupted.args[0])
    except (ServerError, ValueError, *CLIENT_ERRORS) as error:
        print(f"The demo failed: {error}")
        return 2
    finally:
        ignore_interrupts()
        demo.stop()


class Demo:
    """One demo: starts the servers, runs the scenario and stops what it started."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._tree = ProcessTree.start()
        self._console = Console()
        self._batch_ids: list[str] = []
        self._environment: Environment | None = None
        self._is_kept = False

    def run(self) -> bool:
        """Run the demo and return whether every invariant holds."""
        machine = f"{platform.system()} on {platform.machine()}"
        self._console.say(f"{machine} (the demo runs on Linux and macOS, x86-64 and arm64)")
        workload = make_workload(read_folder(self._options.essays), self._tree.mark, SEED)
        self._batch_ids = workload.batch_ids
        self._tree.make_folder()
        name = f"els-demo-{self._tree.mark}"
        spans = None if self._options.bundle else self._tree.folder / "spans"  # a bundle has no layers
        self._environment, log = start_servers(name, spans, self._console.say)
        environment = deploy(self._environment, self._console.say, log, in_bundles=self._options.bundle)
        self._environment = environment
        consumer = EventConsumer(environment.endpoint, environment.outbound)
        holds = Scenario(environment, workload, self._console, consumer).run(tamper=self._options.tamper)
        if self._options.keep:
            save(self._tree, environment, workload.batch_ids)
            self._is_kept = True
            self._console.left_running(workload.batches[0].batch_id, serve_page(self._tree.folder))
        return holds

    def stop(self) -> None:
        """Stop the servers that were started and clean those that were given, unless all is left running."""
        if self._is_kept:
            return
        self._tree.kill()
        if self._environment and self._environment.is_given:
            self._console.say("remove what the demo created on the given servers")
        for what in clean(self._environment, self._batch_ids) if self._environment else []:
            print(f"could not remove {what}")
        self._console.say("all servers are stopped")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["run", "stop"], default="run")
    parser.add_argument("--essays", type=Path, default=ROOT / "dev" / "essays", help="a folder of essays")
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    parser.add_argument("--bundle", action="store_true", help="deploy without layers")
    parser.add_argument(
        "--break", dest="tamper", action="store_true", help="tamper with Postgres before the checks"
    )
    return parser.parse_args()


raise SystemExit(main())
