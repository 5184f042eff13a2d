"""A demo that was left running: send it an event, look at a batch, stop it."""

import json
import sys
from pathlib import Path
from typing import Any

from dev.demo.run import Run
from dev.stack import Announcement, Stack, announce
from dev.tools import ROOT

KEPT_AT = ROOT / ".local" / "kept-demo.json"


def stop() -> int:
    """End everything that the kept demo started."""
    if not KEPT_AT.exists():
        print("no demo was left running")
        return 0
    kept = json.loads(KEPT_AT.read_text())
    Run(kept["mark"], Path(kept["folder"])).end()
    KEPT_AT.unlink()
    print("stopped")
    return 0


def _stack() -> Stack:
    kept: dict[str, Any] = json.loads(KEPT_AT.read_text())
    return Stack(**kept["world"]["stack"])


def main() -> None:
    """Send an event or look at a batch."""
    match sys.argv[1:]:
        case ["send", detail_type, data]:
            stack = _stack()
            announce(
                stack.client("events"),
                stack.outputs["InboundBus"],
                Announcement(detail_type, json.loads(data)),
            )
            print("sent")
        case ["look", batch_id]:
            print(json.dumps(_stack().status(batch_id), indent=2, ensure_ascii=False))
        case _:
            raise SystemExit("send <detail-type> '<data as JSON>' | look <batch id>")


if __name__ == "__main__":
    main()
