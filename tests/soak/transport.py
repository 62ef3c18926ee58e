"""Soaks the lean transport: one server, clients of both kinds, and a look at what the server holds, again and again.

uv run python tests/soak/transport.py --minutes 30 [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from crossrate.rpc.lean import LeanChannel  # noqa: E402 - the paths come first
from tests.soak.calling import Client  # noqa: E402
from tests.soak.serving import serve  # noqa: E402

PERIOD_S = 10.0
WARM_UP = 0.3
"""Part of the time whose samples say nothing of a slope: caches fill, the allocator finds its size."""
REST_S_MAX = 20.0
KINDS = ("lean", "grpcio")
COLUMNS = ("rss_kib", "tasks", "connections", "streams", "lingering", "fds", "room", "queued", "unsent", "alarms")
NOTHING_LEFT = ("connections", "streams", "lingering", "room", "queued", "unsent")


def start(*arguments: str, output: Any = None) -> subprocess.Popen:
    """One more process of this script."""
    return subprocess.Popen([sys.executable, __file__, *arguments], stdout=output, cwd=ROOT)


def slope_an_hour(samples: list[tuple[float, dict[str, int]]], column: str) -> float:
    """By how much a value grows in an hour, by least squares."""
    if len(samples) < 3:
        return 0.0
    times, values = [t for t, _ in samples], [state[column] for _, state in samples]
    middle_t, middle_v = sum(times) / len(times), sum(values) / len(values)
    spread = sum((t - middle_t) ** 2 for t in times)
    together = sum((t - middle_t) * (v - middle_v) for t, v in zip(times, values, strict=True))
    return round(3600 * together / spread, 1)


def left_of(state: dict[str, int]) -> dict[str, int]:
    """What the server still holds of clients that have gone."""
    return {name: state[name] for name in NOTHING_LEFT if state[name]}


async def sampled(channel: LeanChannel) -> dict[str, int]:
    """What the server says that it holds, beside this connection and this call."""
    state = json.loads(await channel.unary_unary("/s/state")(b"", wait_for_ready=True, timeout=30))
    return state | {"connections": state["connections"] - 1, "streams": state["streams"] - 1}


async def watch(
    path: Path, seconds: float, period_s: float, begin: Callable[[], None]
) -> tuple[list[tuple[float, dict[str, int]]], dict[str, int]]:
    """Begins when there is a server; samples while the clients call, then until they have gone, or time is up."""
    samples: list[tuple[float, dict[str, int]]] = []
    print(f"{'s':>6} " + " ".join(f"{column:>11}" for column in COLUMNS), flush=True)
    async with LeanChannel(path) as channel:
        await sampled(channel)
        begin()
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            state = await sampled(channel)
            samples.append((passed, state))
            print(f"{passed:6.0f} " + " ".join(f"{state[column]:>11}" for column in COLUMNS), flush=True)
            await asyncio.sleep(min(period_s, max(0.1, seconds - passed)))
        until = time.monotonic() + REST_S_MAX
        rest = await sampled(channel)
        while left_of(rest) and time.monotonic() < until:
            await asyncio.sleep(0.2)
            rest = await sampled(channel)
    print(f"{'rest':>6} " + " ".join(f"{rest[column]:>11}" for column in COLUMNS), flush=True)
    return samples, rest


def call_from_here(kind: str, path: Path, seconds: float) -> None:
    """The process of one client: calls, then says what it did."""
    from tests.soak import calling

    async def call() -> Client:
        client = calling.Client(kind, path, os.getpid())
        await client.run(seconds)
        return client

    client = asyncio.run(call())
    print(json.dumps({"client": kind, "done": dict(client.done), "wrong": client.wrong}), flush=True)


def serve_from_here(path: Path) -> None:
    """The process of the server: serves until it is terminated."""

    async def until_terminated() -> None:
        serving = asyncio.ensure_future(serve(path))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    uvloop.run(until_terminated())


def end(process: subprocess.Popen) -> None:
    """Ends a process that was started here."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def soak(seconds: float, period_s: float) -> dict[str, Any]:
    """All of it; what came of it."""
    processes: list[subprocess.Popen] = []
    with tempfile.TemporaryDirectory(prefix="cr-") as folder:
        path = Path(folder) / "s"
        try:
            processes.append(start("--serve", str(path)))

            def begin() -> None:
                for kind in KINDS:
                    processes.append(start("--call", kind, str(path), str(seconds), output=subprocess.PIPE))

            samples, rest = asyncio.run(watch(path, seconds, period_s, begin))
            said = [json.loads(client.communicate(timeout=REST_S_MAX + 60)[0] or b"{}") for client in processes[1:]]
        finally:
            for process in reversed(processes):
                end(process)
    warm = [(t, state) for t, state in samples if t >= WARM_UP * seconds]
    return {
        "seconds": seconds,
        "slopes_an_hour": {column: slope_an_hour(warm, column) for column in COLUMNS},
        "most": {column: max(state[column] for _, state in samples) for column in COLUMNS},
        "rest": rest,
        "left": left_of(rest),
        "clients": said,
        "wrong": [line for client in said for line in client.get("wrong", ["it said nothing"])],
        "server_exit": processes[0].returncode,
    }


def main() -> None:
    """Parses the command and runs one of the processes, or all."""
    if sys.argv[1:2] == ["--serve"]:
        serve_from_here(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--call"]:
        call_from_here(sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
    else:
        parser = argparse.ArgumentParser(description="Soaks the lean transport.")
        parser.add_argument("--minutes", type=float, default=30.0)
        parser.add_argument("--quick", action="store_true", help="twenty seconds, a sample every two")
        given = parser.parse_args()
        found = soak(20.0, 2.0) if given.quick else soak(60 * given.minutes, PERIOD_S)
        print(json.dumps(found))
        sys.exit(bool(found["left"] or found["wrong"] or found["server_exit"]))


if __name__ == "__main__":
    main()
