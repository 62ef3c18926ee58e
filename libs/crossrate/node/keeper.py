"""Keeps one process running: starts it again after a crash, later each time, and gives up on one that will not stay."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from crossrate.node import logs
from crossrate.node.process import Child

CRASHES_MAX = 5
CRASH_WINDOW_S = 30.0
"""A process that crashes CRASHES_MAX times within CRASH_WINDOW_S has failed."""
BACKOFF_S_FIRST = 0.1
BACKOFF_S_MAX = 5.0
START_GIVEN_UP_S = 2.0


class State(enum.StrEnum):
    """What a kept process is doing."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting to restart"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


def backoff_s(crashes: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds before the start after so many crashes in a row: doubled each time, spread over half to all of it."""
    longest = min(BACKOFF_S_MAX, BACKOFF_S_FIRST * 2 ** max(0, crashes - 1))
    return longest * (0.5 + chance() / 2)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept running. `start` starts one process; `ended` is called after each end, before the next start."""

    name: str
    kind: str
    start: Callable[[], Awaitable[Child]]
    log: Path
    stop_signal: int = signal.SIGTERM
    grace_s: float = 12.0
    ended: Callable[[], None] | None = None


@dataclass
class Keeper:
    """Keeps one process. `on_change` is called after every change of state."""

    kept: Kept
    on_change: Callable[[Keeper], None]
    state: State = State.STARTING
    child: Child | None = None
    started: float = 0.0
    """When the running process started, seconds since the epoch."""
    restarts: int = 0
    detail: str = ""
    """Why it is not running, in words."""
    ready: bool = False
    """Whether it was seen to do its work since it was started; set by whoever watches it."""
    _crashes: deque[float] = field(default_factory=lambda: deque(maxlen=CRASHES_MAX))
    _task: asyncio.Task[None] | None = None
    _stopping: bool = False
    _running: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """Name of the process."""
        return self.kept.name

    def begin(self) -> None:
        """Starts it and keeps it running from now on."""
        self._stopping = False
        self._crashes.clear()
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def running(self) -> None:
        """Returns when the process has been started.

        Raises:
            ProcessFailed: it has failed for good.
        """
        assert self._task is not None
        waiting = asyncio.create_task(self._running.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._running.is_set():
            raise ProcessFailed(self)

    def _become(self, state: State, detail: str = "") -> None:
        self.state, self.detail = state, detail
        if state is State.RUNNING:
            self._running.set()
        else:
            self._running.clear()
            self.ready = False
        self.on_change(self)

    async def _keep(self) -> None:
        while not self._stopping:
            self._become(State.STARTING)
            try:
                self.child = await self.kept.start()
            except Exception as error:
                why = f"it could not be started: {error}"
            else:
                self.started = time.time()
                if self._stopping:
                    # stop() came while it was being started and saw no process to end.
                    await self.child.stop(self.kept.stop_signal, self.kept.grace_s)
                if not self._stopping:
                    self._become(State.RUNNING)
                code = await self.child.wait()
                why = describe_exit(code)
            self.child = None
            if self.kept.ended is not None:
                self.kept.ended()
            if self._stopping:
                break
            if not await self._wait_to_restart(why):
                return
        self._become(State.STOPPED)

    async def _wait_to_restart(self, why: str) -> bool:
        """Counts a crash; returns whether there is to be another start."""
        now = time.monotonic()
        if self._crashes and now - self._crashes[-1] > CRASH_WINDOW_S:
            self._crashes.clear()
        self._crashes.append(now)
        if len(self._crashes) == CRASHES_MAX and now - self._crashes[0] <= CRASH_WINDOW_S:
            seconds = now - self._crashes[0]
            self._become(State.FAILED, f"crashed {CRASHES_MAX} times within {seconds:.0f} s; last: {why}")
            return False
        self.restarts += 1
        self._become(State.WAITING, why)
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(backoff_s(len(self._crashes))):
                await self._hurry.wait()
        return True

    def failure(self) -> str:
        """What became of it, with the end of its log."""
        return f"{self.name} {self.detail}\n{logs.tail(self.kept.log)}".rstrip()

    async def stop(self, grace_s: float | None = None) -> None:
        """Ends the process for good: its stop signal, then SIGKILL after the grace."""
        self._stopping = True
        if self._task is None or self.state in (State.FAILED, State.STOPPED):
            return
        child = self.child
        self._hurry.set()
        if child is not None:
            self.state = State.STOPPING
            self.on_change(self)
            await child.stop(self.kept.stop_signal, self.kept.grace_s if grace_s is None else grace_s)
        # A start that waits for something which does not come is given up.
        await asyncio.wait({self._task}, timeout=START_GIVEN_UP_S)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
            self._become(State.STOPPED)

    def expect_end(self) -> None:
        """Lets the process end by itself; it is not started again."""
        self._stopping = True
        self.state = State.STOPPING
        self.on_change(self)

    async def ended(self, seconds: float) -> None:
        """Returns when a process that is expected to end has; after so many seconds it is made to."""
        if self._task is not None:
            done, _ = await asyncio.wait({self._task}, timeout=seconds)
            if not done:
                await self.stop()

    async def restart(self) -> None:
        """Ends the process and starts it again in its place; returns when the new one has been started."""
        await self.stop()
        if self._task is not None:
            await self._task
        self.restarts += 1
        self.begin()
        await asyncio.sleep(0)
        await self.running()


class ProcessFailed(Exception):
    """A process does not stay up; the message has the end of its log."""

    def __init__(self, keeper: Keeper) -> None:
        self.name = keeper.name
        super().__init__(keeper.failure())


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
