"""A demo that was left running: send it an event, look at a batch, stop it."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dev.demo.cleanup import clean
from dev.demo.environment import World
from dev.demo.process_tree import Run
from dev.deploy.stack import Announcement, announce
from dev.programs.tools import ROOT

KEPT_AT = ROOT / ".local" / "kept-demo.json"


def stop() -> int:
    """End everything that the kept demo started, and clean the servers that it was given."""
    if not KEPT_AT.exists():
        print("no demo was left running")
        return 0
    kept = json.loads(KEPT_AT.read_text())
    Run(kept["mark"], Path(kept["folder"])).end()
    left = clean(World(**kept["world"]), kept["batch_ids"])
    KEPT_AT.unlink()
    print("\n".join(["stopped", *(f"could not be taken away: {what}" for what in left)]))
    return 1 if left else 0


def keep(run: Run, world: World, batch_ids: list[str]) -> None:
    """Note what is left running."""
    KEPT_AT.parent.mkdir(exist_ok=True)
    known = {"mark": run.mark, "folder": str(run.folder), "world": asdict(world), "batch_ids": batch_ids}
    KEPT_AT.write_text(json.dumps(known))


def _world() -> World:
    if not KEPT_AT.exists():
        raise SystemExit("no demo was left running: make demo KEEP=1")
    kept: dict[str, Any] = json.loads(KEPT_AT.read_text())
    return World(**kept["world"])


def main() -> None:
    """Send an event or look at a batch."""
    match sys.argv[1:]:
        case ["send", detail_type, data]:
            world = _world()
            announced = Announcement(detail_type, json.loads(data))
            announce(world.stack.client("events"), world.inbound, announced)
            print("sent")
        case ["look", batch_id]:
            print(json.dumps(_world().stack.status(batch_id), indent=2, ensure_ascii=False))
        case _:
            raise SystemExit("send <detail-type> '<data as JSON>' | look <batch id>")


if __name__ == "__main__":
    main()
