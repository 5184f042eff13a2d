"""The workbench on the command line."""

import argparse

from dev import schemas
from dev.deploy import linting, sam
from dev.deploy.bundle import bundle
from dev.programs.process import ServerError

ACTIONS = {"validate": linting.validate, "build": sam.build, "bundle": bundle, "schemas": schemas.write}

parser = argparse.ArgumentParser(prog="python -m dev", description=__doc__)
parser.add_argument("action", choices=ACTIONS)
try:
    ACTIONS[parser.parse_args().action]()
except ServerError as error:
    raise SystemExit(str(error)) from None
