"""`python -m dev`: build, bundle and validate the template, or write the JSON Schemas."""

import argparse

from dev import schemas
from dev.deploy import host_build, linting, sam
from dev.deploy.bundle import bundle
from dev.programs.process import ServerError

ACTIONS = {
    "validate": linting.validate,
    "build": sam.build,
    "bundle": bundle,
    "host-build": host_build.build,
    "schemas": schemas.write,
}

parser = argparse.ArgumentParser(prog="python -m dev", description=__doc__)
parser.add_argument("action", choices=ACTIONS)
try:
    ACTIONS[parser.parse_args().action]()
except ServerError as error:
    raise SystemExit(str(error)) from None
