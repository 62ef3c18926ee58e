"""Processes that write to a store of quotes and are killed.

Two writers, each with a feed and a position of its own, and one that compacts, work on one store. After every kill the
store must have exactly the batches up to each feed's position, that position must be at least what the writer was told,
and no file may be half-written.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from crossrate.history.keys import Batch
from crossrate.history.store import TickStore
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY
from tests.chaos.checker import Broken, Problem, once, whole_files

FEEDS = ("one", "two")
PAIR = "EUR/USD"
ROWS = 200
BEGIN = int(np.datetime64("2024-03-04T12:00", "ns").astype(np.int64))
READY = -1
ANSWER_S_MAX = 60.0


def batch_of(feed: str, number: int) -> Batch:
    """The quotes of a feed's batch: their sequence says which they are, their times cross midnight now and then."""
    sequence = np.arange(ROWS) + number * ROWS
    times = BEGIN + sequence * (DAY // 20_000)
    return Batch(feed, PAIR, Ticks.of(times, np.full(ROWS, 1.1), np.full(ROWS, 1.2), sequence=sequence))


def write(url: str, feed: str, say: Connection) -> None:
    """A writer: goes on from the position in the store, and says each batch that was acknowledged."""
    store = TickStore.open(url)
    found = store.position(feed)
    number = 0 if found is None else found + 1
    say.send(READY)
    while True:
        store.append_all([batch_of(feed, number)], {feed: number})
        say.send(number)
        number += 1


def compact(url: str, _: str, say: Connection) -> None:
    """Compacts again and again."""
    store = TickStore.open(url)
    say.send(READY)
    while True:
        store.compact()


class Process:
    """A process that works on a store, and what it says."""

    def __init__(self, url: str, role: str) -> None:
        context = multiprocessing.get_context("forkserver")
        # The server has imported everything; what it forks has not opened anything yet.
        context.set_forkserver_preload(["tests.chaos.writers"])
        self._said, say = context.Pipe(duplex=False)
        target = compact if role == "compact" else write
        # The harness does not wait for one that it could not kill when it ends itself.
        self._process = context.Process(target=target, args=(url, role, say), daemon=True)
        self._process.start()
        say.close()

    def wait_for(self, number: int) -> None:
        """Returns when a number was said."""
        while True:
            assert self._said.poll(ANSWER_S_MAX), "a process says nothing"
            if self._said.recv() == number:
                return

    def kill(self) -> int | None:
        """Kills it; returns the last number that it said and that nobody took."""
        self._process.kill()
        self._process.join(60)
        assert not self._process.is_alive(), "a process that was killed has not ended within 60 s"
        last = None
        # What was being said when it died ends in an error.
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while self._said.poll(0):
                last = self._said.recv()
        self._said.close()
        return last


def round_of_kills(url: str, rng: random.Random) -> dict[str, int]:
    """Runs all for a random while, kills each at a moment of its own; returns what the feeds were told last."""
    roles = [*FEEDS, "compact"]
    processes: dict[str, Process] = {}
    told: dict[str, int] = {}
    try:
        for role in roles:
            processes[role] = Process(url, role)
        for process in processes.values():
            process.wait_for(READY)
        rng.shuffle(roles)
        for role in roles:
            # The moment of the kill is the point of the round, not a wait for something.
            time.sleep(rng.uniform(0.0, 0.25))
            last = processes.pop(role).kill()
            if last is not None:
                told[role] = last
    finally:
        for process in processes.values():
            process.kill()
    return told


def problems(url: str, told: dict[str, int]) -> list[Problem]:
    """What is not as it was promised: every acknowledged batch is there, each row once."""
    store, found = TickStore.open(url), []
    for feed in FEEDS:
        position = store.position(feed)
        reached = -1 if position is None else position
        if reached < told.get(feed, -1):
            said = f"batch {told[feed]} was acknowledged, {position} is there"
            found.append(Problem(Broken.LOST, f"writer {feed}", said))
        pages = store.ticks(PAIR, 0, 2**62, feed, ["sequence"])
        numbers = np.concatenate([np.empty(0, np.uint64), *(page.batch["sequence"].to_numpy() for page in pages)])
        if not np.array_equal(numbers, np.arange((reached + 1) * ROWS, dtype=np.uint64)):
            found += once(f"writer {feed}", list(range((reached + 1) * ROWS)), numbers.tolist())
    return found


def rounds(url: str, count: int, seed: int) -> tuple[dict[str, int], list[Problem]]:
    """So many rounds with nobody else; what the feeds were told last, and what is wrong at last or at first."""
    rng, told, files = random.Random(seed), dict[str, int](), set[Path]()
    for _ in range(count):
        told |= round_of_kills(url, rng)
        damaged = [Problem(Broken.HALF_WRITTEN, each.path, each.what) for each in TickStore.open(url).verify()]
        if found := problems(url, told) + damaged + whole_files(Path(url), files):
            return told, found
    return told, []
