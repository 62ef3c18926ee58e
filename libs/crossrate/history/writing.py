"""Quotes into the store: files first, then one commit."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from crossrate.history.errors import (
    ContendedError,
    DatasetDiffersError,
    HistoryError,
    StoreFullError,
    UncertainError,
    is_full,
)
from crossrate.history.keys import Batch, Key, by_day
from crossrate.history.log import Log, Positions, Raced, added
from crossrate.history.parquet import Block, columns_of, encoded, in_order, joined

HELD_ROWS_MAX = 4_000_000
"""Rows of a load that are held before they are written: some 300 MB."""
ATTEMPTS_MAX = 20


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a write."""

    version: int
    """The version of the store that has it."""
    rows: int
    """Rows that were added; 0 where they had been before."""
    repeated: bool
    """Whether the same had been committed before, and nothing was written."""


class Names:
    """Names of files that sort in the order in which they were made."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        """The beginning of a file's name that nobody else makes."""
        self._last = max(self._last + 1, time.time_ns())
        return f"{self._last:020d}-{os.urandom(4).hex()}"


class Draft:
    """Files of a write that is not committed yet."""

    def __init__(self, log: Log, names: Names) -> None:
        self._log, self._names = log, names
        self._held: dict[Key, list[Block]] = {}
        self._rows_held = 0
        self.actions: list = []
        self.rows = 0

    def add(self, batch: Batch, dataset: str) -> None:
        """Takes quotes; writes what is held once it is much."""
        for key, ticks in by_day(batch, dataset):
            self._held.setdefault(key, []).append(columns_of(ticks))
            self._rows_held += len(ticks)
        if self._rows_held >= HELD_ROWS_MAX:
            self.write()

    def write(self) -> None:
        """Writes what is held, a file or more a day."""
        for key in list(self._held):
            self.put(key, in_order(joined(self._held.pop(key))))
        self._rows_held = 0

    def put(self, key: Key, block: Block, name: str | None = None, *, data_change: bool = True) -> None:
        """Writes rows that are in order; the name says where they come among files of the same key.

        Raises:
            StoreFullError: there is no room.
        """
        for number, written in enumerate(encoded(block)):
            start = f"{name}-{number:04d}" if name else self._names.next()
            path = f"{key.folder}/{start}-{written.digest}.parquet"
            try:
                self._log.place.write(path, written.content)
            except OSError as wrong:
                if is_full(wrong):
                    raise StoreFullError(f"there is no room for {written.content.size} bytes at {path}") from wrong
                raise
            self.actions.append(added(path, key, written, data_change=data_change))
            self.rows += written.rows

    def discard(self) -> None:
        """Deletes the files. What cannot be deleted is not part of the store either, and goes with the next vacuum."""
        for action in self.actions:
            with contextlib.suppress(OSError):
                self._log.place.delete(action.path)


def position_of(digest: str) -> int:
    """What the log says of a dataset that is loaded: a number of its content. It is never 0, which says "removed"."""
    return int.from_bytes(hashlib.blake2b(digest.encode(), digest_size=8).digest(), "big") >> 1 | 1


def append(log: Log, names: Names, batches: Iterable[Batch], dataset: str, positions: Positions) -> Committed:
    """Commits quotes and positions as one; does nothing if the positions had been reached."""

    def reached() -> bool:
        found = {name: log.position(name) for name in positions}
        return bool(positions) and all(has is not None and has >= positions[name] for name, has in found.items())

    return _committed(log, Draft(log, names), batches, dataset, positions, reached)


def load(log: Log, names: Names, dataset: str, batches: Iterable[Batch], digest: str) -> Committed:
    """Commits a whole dataset as one; does nothing if it had been loaded."""
    name, wanted = f"dataset/{dataset}", position_of(digest)

    def loaded() -> bool:
        found = log.position(name)
        if found and found != wanted:
            raise DatasetDiffersError(
                f"dataset {dataset!r} is loaded with other content: remove it, or give a new name"
            )
        return found == wanted

    return _committed(log, Draft(log, names), batches, dataset, {name: wanted}, loaded)


def _committed(
    log: Log, draft: Draft, batches: Iterable[Batch], dataset: str, positions: Positions, done: Callable[[], bool]
) -> Committed:
    """Writes and commits, unless it has been done; what another commit contradicts is looked at anew."""
    if done():
        return Committed(log.refresh().version, 0, True)
    try:
        for batch in batches:
            draft.add(batch, dataset)
        draft.write()
    except BaseException:
        draft.discard()
        raise
    if not draft.actions and not positions:
        return Committed(log.refresh().version, 0, False)
    # From here on files are deleted only where it is known that no commit has them.
    for _ in range(ATTEMPTS_MAX):
        try:
            return Committed(log.commit(draft.actions, [], positions), draft.rows, False)
        except UncertainError:
            raise
        except HistoryError:
            draft.discard()
            raise
        except Raced:
            if done():
                draft.discard()
                return Committed(log.refresh().version, 0, True)
    draft.discard()
    raise ContendedError(f"{ATTEMPTS_MAX} other commits of {', '.join(positions)} came first; is it written twice?")
