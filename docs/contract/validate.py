"""Check an event against its schema: python validate.py <detail-type> <file with the detail as JSON>.

Needs the package `jsonschema`. Exit code 0 for a valid event, 1 for another, 2 for a wrong call.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "schemas"


def problems_of(detail_type: str, detail: object) -> list[str]:
    """Return what is wrong, each with the path of its field; raise KeyError for an unknown detail-type."""
    schemas = {path.stem: path for path in SCHEMAS.rglob("*.json")}
    schema = json.loads(schemas[detail_type].read_text("utf-8"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = validator.iter_errors(detail)
    return [f"{error.json_path}: breaks the rule {error.validator!r}" for error in errors]


def main() -> int:
    """Print what is wrong with the event of the command line."""
    match sys.argv[1:]:
        case [detail_type, file]:
            try:
                problems = problems_of(detail_type, json.loads(Path(file).read_text("utf-8")))
            except KeyError:
                print(f"no event has the detail-type {detail_type}")
                return 2
            print("\n".join(problems) or "valid")
            return 1 if problems else 0
        case _:
            print(__doc__)
            return 2


if __name__ == "__main__":
    raise SystemExit(main())
