"""A demo that was left running: send it an event, ask for the status of a batch, stop it."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dev.demo.cleanup import clean
from dev.demo.environment import Environment
from dev.demo.process_tree import ProcessTree
from dev.deploy.stack import Announcement, announce
from dev.observability.story import read_spans, story_of
from dev.programs.tools import ROOT

SESSION_FILE = ROOT / ".local" / "demo-session.json"


def save(tree: ProcessTree, environment: Environment, batch_ids: list[str]) -> None:
    """Write down what is left running."""
    SESSION_FILE.parent.mkdir(exist_ok=True)
    session = {
        "mark": tree.mark,
        "folder": str(tree.folder),
        "environment": asdict(environment),
        "batch_ids": batch_ids,
    }
    SESSION_FILE.write_text(json.dumps(session))


def stop() -> int:
    """Kill everything that the demo started, and clean the servers that it was given."""
    if not SESSION_FILE.exists():
        print("no demo is running: make demo KEEP=1 leaves one running")
        return 0
    session = json.loads(SESSION_FILE.read_text())
    ProcessTree(session["mark"], Path(session["folder"])).kill()
    left = clean(Environment(**session["environment"]), session["batch_ids"])
    SESSION_FILE.unlink()
    print("\n".join(["the demo is stopped", *(f"could not remove {what}" for what in left)]))
    return 1 if left else 0


def main() -> None:
    """Send an event, or print the status of a batch."""
    match sys.argv[1:]:
        case ["send", detail_type, data]:
            environment = environment_of_session()
            announced = Announcement(detail_type, json.loads(data))
            announce(environment.stack.client("events"), environment.inbound, announced)
            print(f"sent {detail_type}")
        case ["status", batch_id]:
            print(json.dumps(environment_of_session().stack.status(batch_id), indent=2, ensure_ascii=False))
        case ["story", batch_id]:
            print("\n".join(story(environment_of_session(), batch_id)))
        case ["batches"]:
            environment_of_session()
            print("\n".join(json.loads(SESSION_FILE.read_text())["batch_ids"]))
        case _:
            raise SystemExit(
                "usage: send <detail-type> '<data as JSON>' | batches | status <batch id> | story <batch id>"
            )


def story(environment: Environment, batch_id: str) -> list[str]:
    """Return the traces of a batch as text."""
    if not environment.spans:
        raise SystemExit("no traces: only functions of the local AWS that make demo starts itself write them")
    lines = Path(environment.spans).read_text("utf-8").splitlines()
    return story_of(read_spans(lines), batch_id) or [f"no trace of the batch {batch_id}"]


def environment_of_session() -> Environment:
    """Return the environment that was left running; end the program when there is none."""
    if not SESSION_FILE.exists():
        raise SystemExit("no demo is running: make demo KEEP=1 leaves one running")
    session: dict[str, Any] = json.loads(SESSION_FILE.read_text())
    return Environment(**session["environment"])


if __name__ == "__main__":
    main()
