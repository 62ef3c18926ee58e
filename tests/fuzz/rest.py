"""schemathesis against /openapi.json: no server error, and no operation that answers without a token.

    uv run --with schemathesis python tests/fuzz/rest.py            20,000 cases, some ten minutes
    uv run --with schemathesis python tests/fuzz/rest.py --cases 500

The document is the edge's own; requests go through the real proxies and the real chain of every service, whose handlers
answer with empty messages. Every round has a token of every role, of five minutes; `ignored_auth` sends each kind of
request without and with a wrong one. Exits 1 with schemathesis's own words if a check fails.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.runtime.topology import ROLES  # noqa: E402
from tests.integration.guarded import GuardedMesh, guarded_mesh  # noqa: E402

ROUND_S_MAX = 240
EXAMPLES = 5
"""Of one operation in one round."""


async def one_round(mesh: GuardedMesh, tool: str, seed: int, folder: Path) -> tuple[int, int, str]:
    """Exit code, cases and output of one run."""
    token = mesh.issuer.token(tuple(sorted(ROLES)))
    command = [
        tool,
        *("run", f"https://localhost:{mesh.ports['edge']}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--tls-verify", str(mesh.place.ca_bundle)),
        *("--checks", "not_a_server_error,ignored_auth"),
        *("--phases", "coverage,fuzzing"),
        *("--max-examples", str(EXAMPLES)),
        *("--seed", str(seed)),
        *("--workers", "2"),
        *("--request-timeout", "10"),
        "--continue-on-failure",
        "--no-color",
    ]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder
    )
    try:
        raw, _ = await asyncio.wait_for(process.communicate(), ROUND_S_MAX)
    except TimeoutError:
        # Its summary tells how far it came.
        process.send_signal(signal.SIGINT)
        try:
            raw, _ = await asyncio.wait_for(process.communicate(), 20)
        except TimeoutError:
            process.kill()
            raw, _ = await process.communicate()
    output = raw.decode(errors="replace")
    found = re.search(r"(\d[\d,]*) generated", output)
    return process.returncode or 0, int(found[1].replace(",", "")) if found else 0, output


async def fuzz(wanted: int) -> int:
    """Rounds with new seeds until there were enough cases."""
    tool = shutil.which("schemathesis") or str(Path(sys.executable).with_name("schemathesis"))
    total, seed, empty = 0, 1, 0
    with tempfile.TemporaryDirectory() as folder:
        async with guarded_mesh(Path(folder)) as mesh:
            for answers in mesh.answers.values():
                answers.hold.set()
            while total < wanted:
                code, cases, output = await one_round(mesh, tool, seed, Path(folder))
                total, seed, empty = total + cases, seed + 1, 0 if cases else empty + 1
                print(f"round {seed - 1}: {cases} cases, {total} in all", flush=True)
                if code or empty:
                    print(output)
                    return 1
    return 0


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description="Fuzzes the REST surface by its own document.")
    parser.add_argument("--cases", type=int, default=20_000)
    sys.exit(asyncio.run(fuzz(parser.parse_args().cases)))


if __name__ == "__main__":
    main()
