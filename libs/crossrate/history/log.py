"""The log of the store: which files it consists of, and since when. A table of Delta Lake, written through delta-rs.

A commit is one file of the log, made under a name that nobody else can make: it is there whole or not at all, whatever
dies. Files that no commit names are not part of the store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from crossrate.history.errors import HistoryError, NotAStoreError, StoreFullError, UncertainError, is_full
from crossrate.history.keys import Key
from crossrate.history.parquet import QUOTES, Form, Written
from crossrate.history.places import Bucket, Folder, Place

PARTITIONS = ["venue", "instrument", "day", "dataset"]
CONFIGURATION: dict[str, str | None] = {
    # Commits of the last day are kept one by one; what is older is in a checkpoint, with all positions.
    "delta.logRetentionDuration": "interval 1 days",
    "delta.checkpointInterval": "100",
}
RETRIES_MAX = 50
"""How often a commit that nothing contradicts is tried again under the next number because others had come first."""

Positions = dict[str, int]
"""What a commit says beside its files: how far the source of a name has come."""


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """Files that no commit names, and that were deleted or would be."""

    paths: list[str]
    size_bytes: int
    kept: int
    """Others of that age, which stay because they were asked to."""


class Raced(Exception):
    """Another commit came first that contradicts this one: the same position, or the same files taken out."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the store."""

    path: str
    key: Key
    rows: int
    size_bytes: int
    first: int
    """Least venue time in it, ns since 1970 UTC."""
    last: int

    def taken_out(self, *, data_change: bool) -> RemoveAction:
        """The part of a commit after which the file is no longer of the store; readers may go on reading it."""
        return RemoveAction(self.path, data_change, _now_ms(), self.size_bytes, _partitions(self.key))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of the store at one version of it."""

    version: int
    actions: pa.Table

    def files(
        self,
        *,
        venue: str | None = None,
        instrument: str | None = None,
        dataset: str | None = None,
        start: int | None = None,
        end: int | None = None,
        before: date | None = None,
    ) -> list[File]:
        """The files with quotes of these, from `start` to before `end`, of days before a date, in the order of keys."""
        table = self.actions
        masks = [
            pc.equal(table[f"partition.{name}"], value)
            for name, value in (("venue", venue), ("instrument", instrument), ("dataset", dataset))
            if value is not None
        ]
        if start is not None:
            masks.append(pc.greater_equal(table["max.venue_time"], start))
        if end is not None:
            masks.append(pc.less(table["min.venue_time"], end))
        if before is not None:
            masks.append(pc.less(table["partition.day"], pa.scalar(before)))
        if masks:
            table = table.filter(reduce(pc.and_, masks))
        rows = zip(
            *(table[f"partition.{name}"].to_pylist() for name in PARTITIONS),
            *(table[name].to_pylist() for name in ("path", "num_records", "size_bytes")),
            *(table[f"{name}.venue_time"].to_pylist() for name in ("min", "max")),
            strict=True,
        )
        found = [File(path, Key(v, i, d, s), n, size, low, high) for v, i, d, s, path, n, size, low, high in rows]
        return sorted(found, key=lambda file: (file.key, file.path))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _partitions(key: Key) -> dict[str, str | None]:
    return {"venue": key.venue, "instrument": key.instrument, "day": key.day.isoformat(), "dataset": key.dataset}


def added(path: str, key: Key, written: Written, *, data_change: bool = True) -> AddAction:
    """The part of a commit that makes a file one of the store."""
    return AddAction(path, written.content.size, _partitions(key), _now_ms(), data_change, written.stats)


@dataclass(frozen=True, slots=True)
class Pinned:
    """The log at one version, to read from."""

    snapshot: Snapshot
    place: Place

    def refresh(self) -> Snapshot:
        """The store as it was."""
        return self.snapshot


class Log:
    """The log at a URL. May be used by several threads."""

    def __init__(self, table: DeltaTable, place: Place, form: Form = QUOTES) -> None:
        self.place = place
        self.form = form
        self._table = table
        self._schema = _table_of(form)
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None

    @classmethod
    def open(cls, url: str, options: dict[str, str], form: Form = QUOTES) -> Log:
        """Opens the log, and begins one for rows of a form where nothing is yet.

        Raises:
            NotAStoreError: something else is there.
            StoreFullError: there is no room to begin one.
        """
        folder = (
            None if "://" in url and not url.startswith("file://") else Path(url.removeprefix("file://")).absolute()
        )
        at = url if folder is None else str(folder)
        try:
            place: Place = Bucket(at, options) if folder is None else Folder(folder)
            table = cls._begun(at, options, folder, form)
        except (DeltaError, OSError, ValueError) as wrong:
            if is_full(wrong):
                raise StoreFullError(f"there is no room to begin a store at {url}") from wrong
            raise NotAStoreError(f"no store of {form.what} can be opened at {url}: {wrong}") from wrong
        found = Schema.from_arrow(pa.schema(table.schema().to_arrow()))
        if found != _table_of(form) or table.metadata().partition_columns != PARTITIONS:
            raise NotAStoreError(f"the table at {url} is no store of {form.what}: it has the columns {found}")
        return cls(table, place, form)

    @staticmethod
    def _begun(at: str, options: dict[str, str], folder: Path | None, form: Form) -> DeltaTable:
        """The table, made if nothing is there; another process may be making it, too."""
        try:
            return DeltaTable(at, storage_options=options)
        except TableNotFoundError:
            if folder is not None and folder.is_dir() and any(each.name != "_delta_log" for each in folder.iterdir()):
                raise ValueError("the folder holds something else") from None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        schema = _table_of(form)
        try:
            return DeltaTable.create(
                at, schema, partition_by=PARTITIONS, configuration=CONFIGURATION, storage_options=options
            )
        except DeltaError:
            # The one that was first has made it.
            return DeltaTable(at, storage_options=options)

    def refresh(self) -> Snapshot:
        """The store as it is now."""
        with self._lock:
            try:
                self._table.update_incremental()
                version = self._table.version()
                if self._snapshot is None or self._snapshot.version != version:
                    self._snapshot = Snapshot(version, pa.table(self._table.get_add_actions(flatten=True)))
            except (DeltaError, OSError) as wrong:
                raise HistoryError(f"the log cannot be read: {wrong}") from wrong
            return self._snapshot

    def position(self, name: str) -> int | None:
        """How far a source has come; None if nothing was ever committed of it."""
        with self._lock:
            self.refresh()
            return self._table.transaction_version(name)

    def pinned(self, names: Iterable[str]) -> tuple[Pinned, dict[str, int | None]]:
        """The store as it is now, and positions that belong to it."""
        with self._lock:
            snapshot = self.refresh()
            return Pinned(snapshot, self.place), {name: self._table.transaction_version(name) for name in names}

    def commit(
        self,
        adds: list[AddAction],
        removes: list[RemoveAction],
        positions: Positions,
        seen: Mapping[str, int | None] | None = None,
    ) -> int:
        """Commits files in, files out and positions as one.

        Args:
            adds: the files in.
            removes: the files out.
            positions: how far sources have come with it.
            seen: positions that this follows from. What was committed since the log was last read is seen by delta-rs;
                this also sees what another thread has read in the meantime.

        Returns:
            the version of the store that has them.

        Raises:
            Raced: another commit contradicts it.
            StoreFullError: there was no room.
            UncertainError: it cannot be told whether the store has it.
            HistoryError: the log could not be written.
        """
        said = [Transaction(name, version) for name, version in positions.items()]
        properties = CommitProperties(max_commit_retries=RETRIES_MAX, app_transactions=said)
        with self._lock:
            if any(self._table.transaction_version(name) != at for name, at in (seen or {}).items()):
                raise Raced("a position has moved since it was looked at")
            before = self._table.version()
            try:
                self._table.create_write_transaction(
                    [*adds, *removes], "append", self._schema, PARTITIONS, commit_properties=properties
                )
            except Exception as wrong:
                # What failed may have been what comes after a commit, a checkpoint for example.
                try:
                    holds = self._holds(adds, removes, positions)
                except HistoryError as unread:
                    raise UncertainError(f"the commit failed, and {unread}") from wrong
                if not holds:
                    raise self._told(wrong) from wrong
            version = self.refresh().version
            self.place.settle([f"_delta_log/{each:020d}.json" for each in range(before + 1, version + 1)])
            return version

    def _holds(self, adds: list[AddAction], removes: list[RemoveAction], positions: Positions) -> bool:
        """Whether a commit is part of the store."""
        paths = set(self.refresh().actions["path"].to_pylist())
        if adds:
            return all(each.path in paths for each in adds)
        gone = not any(each.path in paths for each in removes)
        return gone and all(self._table.transaction_version(name) == at for name, at in positions.items())

    @staticmethod
    def _told(wrong: Exception) -> Exception:
        """An error of delta-rs as one of ours."""
        if is_full(wrong):
            return StoreFullError("there is no room in the store; nothing of this was committed")
        if isinstance(wrong, CommitFailedError) and "oncurrent" in str(wrong):
            return Raced(str(wrong))
        return HistoryError(f"the commit failed: {wrong}")

    def vacuum(
        self, hours: float, *, keep: Collection[str] = (), dataset: str | None = None, dry_run: bool = False
    ) -> Vacuumed:
        """Deletes files that no longer or never were of the store, older than some hours.

        Args:
            hours: longer than any read or load takes; at least 1.
            keep: paths that stay whatever their age.
            dataset: only files in the folders of one dataset; all by default.
            dry_run: only say which.
        """
        with self._lock:
            arguments: dict[str, Any] = {"dry_run": True, "enforce_retention_duration": False, "full": True}
            # Whole hours, and 0 means the table's own default to delta-rs; ours is never as short.
            try:
                found = sorted(self._table.vacuum(max(1, int(hours)), **arguments))
            except (DeltaError, OSError) as wrong:
                raise HistoryError(f"what lies in the store cannot be listed: {wrong}") from wrong
        if dataset is not None:
            found = [path for path in found if f"/dataset={dataset}/" in path]
        stay = set(keep)
        gone = [path for path in found if path not in stay]
        size = sum(self.place.size(path) for path in gone)
        for path in () if dry_run else gone:
            self.place.delete(path)
        return Vacuumed(gone, size, len(found) - len(gone))


def _table_of(form: Form) -> Schema:
    """The columns of the table: what folders are named by, and what files have."""
    names = [(name, pa.date32() if name == "day" else pa.string()) for name in PARTITIONS]
    return Schema.from_arrow(pa.schema([*names, *form.schema]))
