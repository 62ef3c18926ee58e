"""Quotes into the store: files first, then one commit."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deltalake.transaction import AddAction

from crossrate.history.errors import (
    ContendedError,
    DatasetDiffersError,
    HistoryError,
    MissingPartError,
    PositionMovedError,
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
            self.hold(key, columns_of(ticks))

    def hold(self, key: Key, block: Block) -> None:
        """Holds rows of a key; writes what is held once it is much."""
        self._held.setdefault(key, []).append(block)
        self._rows_held += len(block["venue_time"])
        if self._rows_held >= HELD_ROWS_MAX:
            self.write()

    def write(self) -> None:
        """Writes what is held, a file or more a day."""
        for key in list(self._held):
            self.put(key, in_order(joined(self._held.pop(key))))
        self._rows_held = 0

    def put(self, key: Key, block: Block, name: str | None = None, *, data_change: bool = True) -> None:
        """Writes rows that are in order; the name says where they come among files of the same key.

        No two writers ever make a file of the same path, also out of the same rows: what one of them discards is in no
        commit of the other.

        Raises:
            StoreFullError: there is no room.
        """
        for number, written in enumerate(encoded(block, self._log.form)):
            start = f"{name}-{number:04d}-{os.urandom(4).hex()}" if name else self._names.next()
            path = f"{key.folder}/{start}-{written.digest}.parquet"
            try:
                self._log.place.write(path, written.content)
            except OSError as wrong:
                if is_full(wrong):
                    raise StoreFullError(f"there is no room for {written.content.size} bytes at {path}") from wrong
                raise
            self.actions.append(added(path, key, written, data_change=data_change))
            self.rows += written.rows

    def discard(self, begin: int = 0) -> None:
        """Deletes the files, from one of them on. What cannot be deleted is not part of the store either, and goes with
        the next vacuum."""
        for action in self.actions[begin:]:
            with contextlib.suppress(OSError):
                self._log.place.delete(action.path)


@dataclass(frozen=True, slots=True)
class Pending:
    """A file that was written and is not committed yet, as another process needs it to go on."""

    path: str
    size_bytes: int
    partitions: dict[str, str]
    stats: str

    @classmethod
    def of(cls, action: AddAction) -> Pending:
        """From a part of a commit."""
        partitions = {name: str(value) for name, value in action.partition_values.items()}
        return cls(action.path, action.size, partitions, action.stats)

    def action(self) -> AddAction:
        """The part of a commit that makes it one of the store's."""
        return AddAction(
            self.path, self.size_bytes, dict(self.partitions), time.time_ns() // 1_000_000, True, self.stats
        )

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(json.loads(self.stats)["numRecords"])


class Load:
    """A write in parts: rows are added, now and then all that was added is written (`flush`), and all of it is
    committed as one. What `flush` gave, another process may begin with, as if it had added those rows itself.

    Attributes:
        repeated: whether the positions had been reached before: there is nothing to do.
    """

    def __init__(
        self,
        log: Log,
        draft: Draft,
        dataset: str,
        positions: Positions,
        pending: Sequence[Pending] = (),
        after: Mapping[str, int | None] | None = None,
    ) -> None:
        self._log, self._draft, self._dataset, self._positions = log, draft, dataset, dict(positions)
        self._seen: dict[str, int | None] = {}
        self._after = dict(after or {})
        self.repeated = self._reached()
        for each in () if self.repeated else pending:
            if log.place.size(each.path) != each.size_bytes:
                raise MissingPartError(f"{each.path} is not there as it was written")
            draft.actions.append(each.action())
            draft.rows += each.rows
        self._promised = len(draft.actions)

    def _reached(self) -> bool:
        return _positions_reached(self._log, self._positions, self._after, self._seen)

    def add(self, batch: Any) -> None:
        """Takes rows of one instrument."""
        self._draft.add(batch, self._dataset)

    def flush(self) -> list[Pending]:
        """Writes what is held; all files of this write, those of attempts before with them."""
        self._draft.write()
        return [Pending.of(action) for action in self._draft.actions]

    def promise(self) -> None:
        """Says that what `flush` gave was written down: from now on `discard` leaves these files."""
        self._promised = len(self._draft.actions)

    def discard(self) -> None:
        """Deletes the files that were not promised to anybody."""
        self._draft.discard(self._promised)

    def commit(self) -> Committed:
        """Commits all of it as one; nothing happens if the positions have been reached meanwhile.

        Raises:
            StoreFullError, PositionMovedError, ContendedError, UncertainError: see TickStore.append_all.
        """
        try:
            self._draft.write()
        except BaseException:
            self.discard()
            raise
        return _settled(self._log, self._draft, self._positions, self._reached, self._seen, self._promised)


def position_of(digest: str) -> int:
    """What the log says of a dataset that is loaded: a number of its content. It is never 0, which says "removed"."""
    return int.from_bytes(hashlib.blake2b(digest.encode(), digest_size=8).digest(), "big") >> 1 | 1


def append(
    log: Log,
    names: Names,
    batches: Iterable[Batch],
    dataset: str,
    positions: Positions,
    after: Mapping[str, int | None] | None = None,
) -> Committed:
    """Commits quotes and positions as one; does nothing if the positions had been reached."""
    seen: dict[str, int | None] = {}

    def reached() -> bool:
        return _positions_reached(log, positions, after or {}, seen)

    return _committed(log, Draft(log, names), batches, dataset, positions, reached, seen)


def _positions_reached(
    log: Log, positions: Positions, after: Mapping[str, int | None], seen: dict[str, int | None]
) -> bool:
    """Whether a write has been done; notes the positions by which that was decided."""
    seen.update({name: log.position(name) for name in {**positions, **after}})
    if positions and all(_reached(seen[name], positions[name]) for name in positions):
        return True
    for name, expected in after.items():
        if seen[name] != expected:
            raise PositionMovedError(f"{name} is at {seen[name]}, not at {expected}: somebody else writes it")
    return False


def _reached(has: int | None, wanted: int) -> bool:
    return has is not None and has >= wanted


def load(log: Log, names: Names, dataset: str, batches: Iterable[Batch], digest: str) -> Committed:
    """Commits a whole dataset as one; does nothing if it had been loaded."""
    name, wanted = f"dataset/{dataset}", position_of(digest)
    seen: dict[str, int | None] = {}

    def loaded() -> bool:
        found = seen[name] = log.position(name)
        if found and found != wanted:
            raise DatasetDiffersError(
                f"dataset {dataset!r} is loaded with other content: remove it, or give a new name"
            )
        return found == wanted

    return _committed(log, Draft(log, names), batches, dataset, {name: wanted}, loaded, seen)


def _committed(
    log: Log,
    draft: Draft,
    batches: Iterable[Batch],
    dataset: str,
    positions: Positions,
    done: Callable[[], bool],
    seen: Mapping[str, int | None],
) -> Committed:
    """Writes and commits, unless it has been done; what another commit contradicts is looked at anew.

    `done` notes in `seen` the positions by which it decided.
    """
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
    return _settled(log, draft, positions, done, seen)


def _settled(
    log: Log,
    draft: Draft,
    positions: Positions,
    done: Callable[[], bool],
    seen: Mapping[str, int | None],
    promised: int = 0,
) -> Committed:
    """Commits files that are written; the first `promised` of them are not deleted when that fails."""
    # From here on files are deleted only where it is known that no commit has them.
    for _ in range(ATTEMPTS_MAX):
        try:
            return Committed(log.commit(draft.actions, [], positions, seen), draft.rows, False)
        except UncertainError:
            raise
        except HistoryError:
            draft.discard(promised)
            raise
        except Raced:
            try:
                repeated = done()
            except HistoryError:
                draft.discard(promised)
                raise
            if repeated:
                draft.discard(promised)
                return Committed(log.refresh().version, 0, True)
    draft.discard(promised)
    raise ContendedError(f"{ATTEMPTS_MAX} other commits of {', '.join(positions)} came first; is it written twice?")
