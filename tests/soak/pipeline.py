"""Kills the pipeline, NATS and PostgreSQL while jobs are under way, round after round, and looks at the history.

uv run python tests/soak/pipeline.py --rounds 100 [--seed 1]

The exit code is 1, with what is wrong, if a row is lost or there twice, a file is half-written, or a job does not end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from tests.integration.pipelines import pipeline  # noqa: E402 - the paths come first
from tests.pipeline_rounds import FILES, ROWS, rounds  # noqa: E402


async def play(count: int, seed: int) -> list[str]:
    """Some rounds over a pipeline of its own."""
    # Short: a Unix socket's path is at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="xr-") as folder, tempfile.TemporaryDirectory(prefix="xr-") as files:
        async with pipeline(Path(folder)) as made:
            return await rounds(made, Path(files), seed, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    begun = time.monotonic()
    killed = asyncio.run(play(chosen.rounds, chosen.seed))
    for each in sorted(set(killed)):
        print(f"{killed.count(each)} × {each} files")
    said = {"rounds": chosen.rounds, "seed": chosen.seed, "rows": chosen.rounds * FILES * ROWS}
    print(json.dumps(said | {"seconds": round(time.monotonic() - begun, 1), "lost": 0, "twice": 0}))


if __name__ == "__main__":
    main()
