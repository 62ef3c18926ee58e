"""Keeping a process running, with real small programs."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from crossrate.node import keeper as keepers
from crossrate.node import logs
from crossrate.node.command import Command
from crossrate.node.keeper import BACKOFF_S_MAX, Keeper, Kept, ProcessFailed, State, backoff_s
from crossrate.node.process import spawn


def kept(tmp_path: Path, code: str) -> Kept:
    """A Python program as something to keep."""
    log = tmp_path / "program.log"

    async def start():
        output = logs.open_for_append(log)
        try:
            return spawn(Command((sys.executable, "-S", "-c", code), tmp_path, dict(os.environ)), output)
        finally:
            os.close(output)

    return Kept("program", "service", start, log, signal.SIGTERM, 5.0)


class Changes:
    """Collects states and lets a test wait for the next."""

    def __init__(self) -> None:
        self.seen: list[State] = []
        self._more = asyncio.Event()

    def __call__(self, keeper: Keeper) -> None:
        self.seen.append(keeper.state)
        self._more.set()

    async def until(self, state: State, count: int = 1) -> None:
        """Waits until a state was seen so many times."""
        async with asyncio.timeout(60):
            while self.seen.count(state) < count:
                self._more.clear()
                await self._more.wait()


async def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    """After SIGKILL another process runs, and the restart is counted."""
    changes = Changes()
    keeper = Keeper(kept(tmp_path, "import time; time.sleep(60)"), changes)
    keeper.begin()
    await keeper.running()
    first = keeper.child
    first.send(signal.SIGKILL)
    await changes.until(State.RUNNING, 2)
    assert keeper.child.pid != first.pid
    assert keeper.restarts == 1
    await keeper.stop()
    assert keeper.state is State.STOPPED
    assert not changes.seen.count(State.FAILED)


async def test_a_process_that_never_stays_up_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five crashes within half a minute it is given up, with the end of its log."""
    monkeypatch.setattr(keepers, "BACKOFF_S_FIRST", 0.01)
    changes = Changes()
    keeper = Keeper(kept(tmp_path, "print('no database', flush=True); raise SystemExit(3)"), changes)
    keeper.begin()
    await changes.until(State.FAILED)
    assert changes.seen.count(State.RUNNING) == 5
    with pytest.raises(ProcessFailed) as caught:
        await keeper.running()
    assert "exit code 3" in str(caught.value)
    assert "no database" in str(caught.value)
    await keeper.stop()


async def test_a_restart_in_place_ends_the_old_process_first(tmp_path: Path) -> None:
    """`restart` returns with another process running, and counts it."""
    keeper = Keeper(kept(tmp_path, "import time; time.sleep(60)"), lambda _: None)
    keeper.begin()
    await keeper.running()
    first = keeper.child
    await keeper.restart()
    assert not first.running
    assert keeper.child.running
    assert keeper.child.pid != first.pid
    assert keeper.restarts == 1
    await keeper.stop()


async def test_a_stop_while_it_waits_to_restart_is_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that waits for its next start is stopped without that start."""
    monkeypatch.setattr(keepers, "BACKOFF_S_FIRST", 60.0)
    monkeypatch.setattr(keepers, "BACKOFF_S_MAX", 60.0)
    changes = Changes()
    keeper = Keeper(kept(tmp_path, "raise SystemExit(1)"), changes)
    keeper.begin()
    await changes.until(State.WAITING)
    async with asyncio.timeout(60):
        await keeper.stop()
    assert keeper.state is State.STOPPED


def test_backoff_doubles_and_is_bounded() -> None:
    """The wait doubles with each crash, is never more than its bound and is spread over half of itself."""
    longest = [backoff_s(n, lambda: 1.0) for n in range(1, 10)]
    assert longest[:3] == [0.1, 0.2, 0.4]
    assert longest[-1] == BACKOFF_S_MAX
    assert backoff_s(3, lambda: 0.0) == pytest.approx(0.2)


async def test_a_stop_gives_up_a_start_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose start waits for what never comes is stopped all the same."""
    monkeypatch.setattr(keepers, "START_GIVEN_UP_S", 0.05)
    never = asyncio.Event()
    keeper = Keeper(Kept("program", "service", never.wait, tmp_path / "program.log"), lambda _: None)
    keeper.begin()
    async with asyncio.timeout(60):
        await keeper.stop()
    assert keeper.state is State.STOPPED
