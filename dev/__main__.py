"""The workbench on the command line."""

import argparse

from dev import sam

ACTIONS = {"validate": sam.validate, "build": sam.build}

parser = argparse.ArgumentParser(prog="python -m dev", description=__doc__)
parser.add_argument("action", choices=ACTIONS)
ACTIONS[parser.parse_args().action]()
