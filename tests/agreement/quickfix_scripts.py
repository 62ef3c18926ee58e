"""QuickFIX's acceptance tests of FIX 4.4 against our acceptor, and mirrored against our initiator.

    git clone --depth 1 https://github.com/quickfix/quickfix
    uv run python tests/agreement/quickfix_scripts.py quickfix/test/definitions/server/fix44

A line a script and a sum; 1 if one fails. The scripts are QuickFIX's and are not part of this repository. Each is
played against an acceptor of its own, on a port of loopback, with the store in a file. What QuickFIX's server is set to
ours is set to: its CompIDs; numbers from 1 with every Logon (ResetOnLogon=Y); fields that FIX 4.4 does not have in a
message are refused, also those from 5000 on. The application echoes NewOrderSingle and SecurityDefinition, but not what
it has seen if it comes under PossResend.

With --mirrored our side is the initiator: the script's client is the venue, and its Logon the answer to ours. What is
about a client's Logon alone is left out there.

A script that wants what FIX 4.4 does not is held to what stands in quickfix_differences.py instead, and "differs"; it
never passes. Where nothing comes the clock is put on to the next timer, so waiting takes no time, and a slow machine
changes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import structlog

from crossrate.fix.message import utc_text
from tests.agreement.quickfix_differences import DIFFERENCES
from tests.agreement.quickfix_language import (
    SOH,
    NotFix,
    NotTheLanguage,
    Step,
    difference,
    fields,
    parse,
    shown,
    taken,
    written,
)
from tests.agreement.quickfix_sides import Clock, HastyLoop, standing
from tests.ports import free_port

WAIT_S = 60.0
"""How long something that is expected may take, on the clock that is put on."""
OUTCOMES = ("passed", "differs", "failed", "left out")


class Failed(Exception):
    """A script and our side differ; the message says where, what was expected and what came."""


class Player:
    """The other side's connections, as a script has them: clients that connect, or a venue that is connected to."""

    def __init__(self, port: int, now: Callable[[int], bytes]) -> None:
        self._port, self._now = port, now
        self._peers: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._buffers: dict[int, bytes] = {}
        self._server: asyncio.Server | None = None
        self._came: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def listen(self) -> None:
        """Is connected to from now on."""
        self._server = await asyncio.start_server(lambda *ends: self._came.put_nowait(ends), "127.0.0.1", self._port)

    async def play(self, steps: list[Step]) -> None:
        """Plays a script to its end.

        Raises:
            Failed: see there.
        """
        for step in steps:
            try:
                async with asyncio.timeout(WAIT_S):
                    await self._do(step)
            except (Failed, NotFix, OSError, KeyError) as error:
                why = f"there is no connection {error}" if isinstance(error, KeyError) else error
                what = f"expected {step.who}{shown(step.what)}; " if step.who in "eE" else ""
                raise Failed(f"line {step.line}: {what}{why or 'nothing came'}") from error

    def close(self) -> None:
        """Ends what is connected, and listens no more."""
        if self._server is not None:
            self._server.close()
        waiting = [self._came.get_nowait() for _ in range(self._came.qsize())]
        for _, writer in [*self._peers.values(), *waiting]:
            writer.transport.abort()

    async def _do(self, step: Step) -> None:
        if step.who == "E":
            await self._expect(step)
        elif step.who == "e":
            await self._closed(step.client)
        elif step.who == "I":
            self._peers[step.client][1].write(written(step.what, self._now))
        elif step.what == b"CONNECT":
            there = self._server is not None
            self._peers[step.client] = await (
                self._came.get() if there else asyncio.open_connection("127.0.0.1", self._port)
            )
            self._buffers[step.client] = b""
        else:
            self._peers.pop(step.client)[1].close()

    async def _expect(self, step: Step) -> None:
        while (found := taken(self._buffers[step.client])) is None:
            data = await self._peers[step.client][0].read(65_536)
            if not data:
                raise Failed("the connection was closed")
            self._buffers[step.client] += data
        came, self._buffers[step.client] = found
        if what := difference(step.what, came):
            raise Failed(f"came {what}: {shown(came)}")

    async def _closed(self, peer: int) -> None:
        try:
            data = self._buffers[peer] or await self._peers[peer][0].read(65_536)
        except ConnectionError:
            data = b""
        if data:
            raise Failed(f"came {shown(data)}")
        self._peers.pop(peer)[1].close()


async def _played(steps: list[Step], role: str, folder: Path) -> None:
    clock, port = Clock(), free_port()
    player = Player(port, lambda off_s: utc_text(clock.now_ns() + off_s * 1_000_000_000, 0).encode())
    if role == "initiator":
        await player.listen()
    asked = next((value for step in steps for tag, value in fields(step.what) if tag == b"108"), b"30")
    async with standing(role, port, folder, clock, int(asked)):
        try:
            await player.play(steps)
        finally:
            player.close()


def play(steps: list[Step], role: str = "acceptor") -> str:
    """Plays a script against our side of a role; what is wrong with what came, empty if nothing is."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=HastyLoop) as runner:
        try:
            runner.run(_played(steps, role, Path(folder)))
        except Failed as failed:
            return str(failed)
    return ""


def mirrored(steps: list[Step]) -> list[Step] | None:
    """A script for our initiator, whose Logon comes first and asks for numbers from 1; None if it cannot be one."""
    made = list(steps)
    for at, step in enumerate(steps):
        if step.client != 1:
            return None
        if step.what != b"CONNECT":
            continue
        logons = steps[at + 1 : at + 3]
        if [each.who for each in logons] != ["I", "E"] or (b"35", b"A") not in fields(logons[1].what):
            return None
        asks, answer = logons
        made[at + 1] = dataclasses.replace(answer, what=answer.what.rstrip(SOH) + b"\x01141=Y\x01")
        made[at + 2] = asks
    return made


def judged(path: Path, role: str = "acceptor") -> tuple[str, str]:
    """What became of a script, one of OUTCOMES, and what is to be said of it."""
    try:
        steps: list[Step] | None = parse(path.read_bytes(), path.name)
    except NotTheLanguage as error:
        return "failed", str(error)
    if role == "initiator" and (steps := mirrored(steps)) is None:
        return "left out", "it is about clients' Logons"
    wrong, known = play(steps, role), DIFFERENCES.get(path.stem)
    if known is None:
        return ("failed", wrong) if wrong else ("passed", "")
    if not wrong:
        return "failed", "it is declared to differ and does not: take it out of DIFFERENCES"
    before = [step for step in steps if step.line < known.line]
    other = play([*before, *parse(known.instead.replace(b"|", SOH), "DIFFERENCES")], role)
    return ("failed", f"as declared in DIFFERENCES: {other}") if other else ("differs", known.why)


def main() -> int:
    """Plays the scripts of a folder, or those that are named."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a folder of .def files, or one of them")
    parser.add_argument("--mirrored", action="store_true", help="against our initiator")
    parser.add_argument("--verbose", action="store_true", help="with what our side writes to its log")
    arguments = parser.parse_args()
    level = logging.NOTSET if arguments.verbose else logging.CRITICAL
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    scripts = [each for path in arguments.paths for each in (sorted(path.glob("*.def")) if path.is_dir() else [path])]
    if not scripts:
        parser.error(f"{arguments.paths[0]} has no .def files")
    counts = dict.fromkeys(OUTCOMES, 0)
    for script in scripts:
        outcome, why = judged(script, "initiator" if arguments.mirrored else "acceptor")
        counts[outcome] += 1
        print(f"{outcome:10}{script.stem}{': ' if why else ''}{why}", flush=True)
    print(f"{len(scripts)} scripts: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
