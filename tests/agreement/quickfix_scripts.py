"""QuickFIX's acceptance tests of FIX 4.4 against our acceptor.

    git clone --depth 1 https://github.com/quickfix/quickfix
    uv run python tests/agreement/quickfix_scripts.py quickfix/test/definitions/server/fix44

A line a script and a sum; 1 if one fails. The scripts are QuickFIX's and are not part of this repository. Each is played
against an acceptor of its own, on a port of loopback, with the store in a file. What QuickFIX's server does there is done
here: its CompIDs; numbers from 1 with every Logon (ResetOnLogon=Y); fields that FIX 4.4 does not have in a message are
refused, also those from 5000 on; the application echoes NewOrderSingle and SecurityDefinition, but not what is sent
again under PossResend.

Where nothing comes the clock is put on to the next timer, so waiting takes no time, and a slow machine changes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import selectors
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from crossrate.fix.acceptor import Acceptor
from crossrate.fix.application import Unit
from crossrate.fix.codec import Extra, group, member, message, optional, required
from crossrate.fix.dictionary import HEADER
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.file_store import FileStore
from crossrate.fix.message import Message, utc_text
from crossrate.fix.orders import NewOrderSingle
from crossrate.fix.reader import Decoder
from crossrate.fix.rules import Rules
from tests.agreement.quickfix_language import NotFix, NotTheLanguage, Step, difference, parse, shown, taken, written
from tests.ports import free_port

SERVER, CLIENT = "ISLD", "TW44"
WAIT_S = 60.0
"""How long something that is expected may take, on the clock that is put on."""
GRACE_S = 0.05
"""What is under way on loopback has arrived after it."""
_HEADER = frozenset(HEADER)

DIFFERENCES: dict[str, tuple[str, str]] = {}
"""Scripts that want what FIX 4.4 does not: what is said of them, and why it stays so."""


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class _AlternateId:
    security_alt_id: str = required(455)
    security_alt_id_source: str | None = optional(456)
    extra: Extra = ()


@message("d")
@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityDefinition:
    """A security that the exchange defines; crossrate has no use for it, the scripts' server has."""

    security_req_id: str = required(320)
    security_response_id: str = required(322)
    security_response_type: int = required(323)
    symbol: str | None = optional(55)
    security_id_source: str | None = optional(22)
    security_type: str | None = optional(167)
    trading_session_id: str | None = optional(336)
    text: str | None = optional(58)
    alternates: tuple[_AlternateId, ...] = group(454, _AlternateId)
    extra: Extra = ()


class Echo:
    """What QuickFIX's server has behind the session."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        if message.value.__class__ not in (NewOrderSingle, SecurityDefinition):
            return
        if message.kind == NewOrderSingle.KIND:
            if message.possible_resend and message.get(11) in self._seen:
                return
            self._seen.add(message.get(11))
        body = [(int(tag), value) for tag, _, value in message.pairs if int(tag) not in _HEADER]
        unit.send(message.kind, body, [(97, b"Y")] if message.possible_resend else ())

    async def logged_on(self) -> None:
        """See Application."""

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self._seen.clear()


class _Waiting(selectors.DefaultSelector):
    """Waits for a moment only; if nothing has come then, it is later."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: HastyLoop | None = None

    def select(self, timeout: float | None = None) -> list:
        """See selectors."""
        if self.loop is None or self.loop.at_work or timeout is None or timeout <= GRACE_S:
            return super().select(timeout)
        found = super().select(GRACE_S)
        if not found:
            self.loop.skipped_s += timeout - GRACE_S
        return found


class HastyLoop(asyncio.SelectorEventLoop):
    """A loop that does not wait for its timers while nothing is under way.

    Attributes:
        skipped_s: how far its clock was put on.
        at_work: how much is done in threads, such as by a store; while there is any the clock goes as it does.
    """

    def __init__(self) -> None:
        self.skipped_s, self.at_work = 0.0, 0
        selector = _Waiting()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        """Its clock, seconds."""
        return super().time() + self.skipped_s

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future:
        """See asyncio."""
        future = super().run_in_executor(executor, func, *args)
        self.at_work += 1
        future.add_done_callback(self._done)
        return future

    def _done(self, _: asyncio.Future) -> None:
        self.at_work -= 1


class Failed(Exception):
    """A script and the server differ; the message says where, what was expected and what came."""


class Player:
    """One script's clients."""

    def __init__(self, port: int, now: Callable[[int], bytes]) -> None:
        self._port, self._now = port, now
        self._clients: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self._buffers: dict[int, bytes] = {}

    async def play(self, steps: list[Step]) -> None:
        """Plays a script to its end.

        Raises:
            Failed: see there.
        """
        for step in steps:
            try:
                await self._do(step)
            except (Failed, NotFix, OSError, KeyError) as error:
                why = f"there is no client {error}" if isinstance(error, KeyError) else error
                raise Failed(f"line {step.line}: {why}") from error

    def close(self) -> None:
        """Ends what is connected."""
        for _, writer in self._clients.values():
            writer.transport.abort()

    async def _do(self, step: Step) -> None:
        if step.who == "E":
            await self._expect(step)
        elif step.who == "e":
            await self._closed(step.client)
        elif step.who == "I":
            self._clients[step.client][1].write(written(step.what, self._now))
        elif step.what == b"CONNECT":
            self._clients[step.client] = await asyncio.open_connection("127.0.0.1", self._port)
            self._buffers[step.client] = b""
        else:
            self._clients.pop(step.client)[1].close()

    async def _expect(self, step: Step) -> None:
        wanted = shown(step.what)
        while (found := taken(self._buffers[step.client])) is None:
            try:
                data = await self._read(step.client)
            except TimeoutError:
                raise Failed(f"expected {wanted}; nothing came") from None
            if not data:
                raise Failed(f"expected {wanted}; the server closed the connection")
            self._buffers[step.client] += data
        came, self._buffers[step.client] = found
        if what := difference(step.what, came):
            raise Failed(f"expected {wanted}; came {what}: {shown(came)}")

    async def _closed(self, client: int) -> None:
        try:
            data = self._buffers[client] or await self._read(client)
        except TimeoutError:
            raise Failed("expected that the server closes the connection; it does not") from None
        except ConnectionError:
            data = b""
        if data:
            raise Failed(f"expected that the server closes the connection; came {shown(data)}")
        self._clients.pop(client)[1].close()

    async def _read(self, client: int) -> bytes:
        async with asyncio.timeout(WAIT_S):
            return await self._clients[client][0].read(65_536)


async def _played(steps: list[Step], folder: Path) -> None:
    loop = asyncio.get_running_loop()
    begun_ns, begun = time.time_ns(), loop.time()

    def now_ns() -> int:
        return begun_ns + round((loop.time() - begun) * 1e9)

    store = FileStore(folder / "session")
    rules = Rules(SERVER, CLIENT, role="acceptor", reset="logon")
    endpoint = Endpoint(
        rules, store, Echo(), structlog.get_logger(),
        decode=Decoder([NewOrderSingle, SecurityDefinition], strict=True, user_defined=False),
        now_ns=now_ns, monotonic=loop.time,
    )  # fmt: skip
    acceptor = Acceptor([endpoint], structlog.get_logger())
    port = free_port()
    await acceptor.start("127.0.0.1", port)
    player = Player(port, lambda off_s: utc_text(now_ns() + off_s * 1_000_000_000, 0).encode())
    try:
        await player.play(steps)
    finally:
        player.close()
        await acceptor.stop()
        store.close()


def play(path: Path) -> str:
    """Plays one script; what is wrong with it, empty if nothing is.

    Raises:
        NotTheLanguage: the script cannot be read.
    """
    steps = parse(path.read_bytes(), path.name)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=HastyLoop) as runner:
        try:
            runner.run(_played(steps, Path(folder)))
        except Failed as failed:
            return str(failed)
    return ""


def judged(path: Path) -> tuple[str, str]:
    """What became of a script, "passed", "failed" or "differs", and what is said of it."""
    try:
        wrong = play(path)
    except NotTheLanguage as error:
        return "failed", str(error)
    known, why = DIFFERENCES.get(path.stem, ("", ""))
    if known and known in wrong:
        return "differs", why
    if known and not wrong:
        return "failed", "it is declared to differ and does not: take it out of DIFFERENCES"
    return ("failed", wrong) if wrong else ("passed", "")


def main() -> int:
    """Plays the scripts of a folder, or those that are named."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a folder of .def files, or one of them")
    parser.add_argument("--verbose", action="store_true", help="what the session writes to its log")
    arguments = parser.parse_args()
    level = logging.NOTSET if arguments.verbose else logging.CRITICAL
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    scripts = [each for path in arguments.paths for each in (sorted(path.glob("*.def")) if path.is_dir() else [path])]
    if not scripts:
        parser.error(f"{arguments.paths[0]} has no .def files")
    counts = {"passed": 0, "differs": 0, "failed": 0}
    for script in scripts:
        outcome, why = judged(script)
        counts[outcome] += 1
        print(f"{outcome:8}{script.stem}{': ' if why else ''}{why}", flush=True)
    print(f"{len(scripts)} scripts: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
