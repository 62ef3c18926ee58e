"""The real program of a service with a fault planted: `python -m tests.candidates marketdata`, CANDIDATE_FAULT=<fault>.

Each call that it answers says so in a trailer, by which callers tell the versions apart.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from crossrate.runtime.process import run
from tests.candidate import fall_ill, lose_a_method
from tests.candidates.faults import SEED_VARIABLE, VARIABLE, calls_fault, leak, plant, start_late


def main() -> None:
    """Plants the fault and runs the program.

    crash             ends at once
    promoted          ends at once where it is the service itself
    start:SECONDS     begins to serve so much later
    contract          has lost a method (of reference alone)
    unhealthy:PATH    stops serving as soon as there is a file at PATH
    leak:MIB          keeps so many MiB more each second
    and those of `faults.calls_fault`, which are of calls
    """
    service = sys.argv[1]
    fault, _, argument = os.environ.get(VARIABLE, "none").partition(":")
    seed = int(os.environ.get(SEED_VARIABLE, "1"))
    if fault == "crash":
        sys.exit("the candidate has no mind to run")
    elif fault == "promoted" and not os.environ["CROSSRATE_BACKEND"].endswith("-candidate"):
        sys.exit("the candidate has no mind to be the service")
    elif fault == "start":
        start_late(float(argument))
    elif fault == "contract":
        lose_a_method()
    elif fault == "unhealthy":
        fall_ill(Path(argument))
    elif fault == "leak":
        leak(float(argument))
    plant(calls_fault(fault, argument, seed), os.environ["CROSSRATE_VERSION"])
    run(importlib.import_module(f"services.{service}.main").serve)


if __name__ == "__main__":
    main()
