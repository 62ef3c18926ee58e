"""A candidate of pricing for tests: the real program, which serves beside the stable version and not in its place."""

from __future__ import annotations

import os
import sys

from crossrate.runtime.process import run
from services.control.split import candidate_backend
from services.pricing import main as program


def main() -> None:
    """Runs the program as a candidate; ends at once as the service itself."""
    if os.environ["CROSSRATE_BACKEND"] != candidate_backend("pricing"):
        sys.exit("it has no mind to be the service")
    run(program.serve)


if __name__ == "__main__":
    main()
