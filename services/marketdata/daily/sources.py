"""All daily sources of an instance, and the files behind them, read again when they change.

    look ──▶ changed, and at rest since the look before? ──▶ read ──▶ good: takes the place of what there was
                                                                  └─▶ refused: that stays, the reasons are told

Every instance reads for itself. A file that is being written is not read before two looks have found it the same;
whoever renames a finished file into place is never half read in any case.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.marketdata.daily.declared import ECB, DailyFile
from services.marketdata.daily.parse import FileRefused, Loaded, load
from services.marketdata.daily.rows import Problem
from services.marketdata.domain.history import History
from services.marketdata.quote_log import pause

Stamp = tuple[int, int, int]
"""Time of change in ns, size and number of a file: another one means another content."""


class UnknownSource(LookupError):
    """There is no daily source of the name."""


class NoRates(LookupError):
    """A source has not been read yet; the message says why."""


@dataclass(slots=True)
class DailySource:
    """One source.

    Attributes:
        name: what it is called.
        file: name of the file, as it is declared.
        description: where the rates come from, in words.
        history: the rates that are answered; None before a file of it was good.
        load_time: when they were read, UTC.
        problems: of the newest reading, at most so many as are told.
        problem_count: how many there were.
        refused: whether the newest reading changed nothing.
    """

    name: str
    file: str
    description: str
    history: History | None = None
    load_time: dt.datetime | None = None
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    refused: bool = False
    _read: Stamp | None = None
    _seen: Stamp | None = None

    def take(self, loaded: Loaded, now: dt.datetime) -> None:
        """Takes what was read."""
        self.history, self.load_time, self.refused = loaded.history, now, False
        self.problems, self.problem_count = loaded.problems, loaded.count

    def refuse(self, problems: list[Problem], count: int) -> None:
        """Keeps what there is."""
        self.problems, self.problem_count, self.refused = problems, count, True


class DailySources:
    """The European Central Bank's rates and the declared files.

    Args:
        ecb: the reference rates that are installed.
        declared: files by the names of their sources.
        folder: what their paths are relative to.
        now: the time, UTC.
    """

    def __init__(
        self,
        ecb: History,
        ecb_file: str,
        declared: Mapping[str, DailyFile],
        folder: Path,
        note: Any,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._declared = dict(declared)
        self._folder = folder
        self._note = note
        self._now = now
        bank = DailySource(ECB, ecb_file, ecb.source, ecb, now())
        files = [DailySource(name, spec.path, spec.description or spec.path) for name, spec in declared.items()]
        self._sources = {source.name: source for source in sorted([bank, *files], key=lambda each: each.name)}

    @property
    def all(self) -> list[DailySource]:
        """Every source, in the order of name."""
        return list(self._sources.values())

    def history(self, name: str) -> History:
        """The rates of a source; of the European Central Bank for "".

        Raises:
            UnknownSource: there is none of the name.
            NoRates: its file was never good.
        """
        source = self._sources.get(name or ECB)
        if source is None:
            raise UnknownSource(name)
        if source.history is None:
            raise NoRates(str(source.problems[0]) if source.problems else f"{source.file}: has not been read yet")
        return source.history

    async def run(self, stopping: asyncio.Event, poll_s: float) -> None:
        """Looks at the files until the process stops."""
        if self._declared:
            while not await pause(stopping, poll_s):
                await self.look()

    async def look(self) -> None:
        """Reads the files that have changed and are at rest; at the first look all of them."""
        for name, spec in self._declared.items():
            source = self._sources[name]
            read = await asyncio.to_thread(self._look, source, spec)
            if read is None:
                continue
            if isinstance(read, Loaded):
                source.take(read, self._now())
                days = read.history.dates
                self._note.info(
                    "daily rates are read",
                    source=name,
                    days=len(days),
                    until=str(days[-1]),
                    currencies=len(read.history.currencies),
                    refused_lines=read.count,
                )
            elif not source.refused or read.problems != source.problems:
                source.refuse(read.problems, read.count)
                self._note.error(
                    "a daily file changes nothing; what was read before stays",
                    source=name,
                    problems=read.count,
                    first=str(read.problems[0]),
                )

    def _look(self, source: DailySource, spec: DailyFile) -> Loaded | FileRefused | None:
        """Reads a file if it has to be; None if there is nothing new. Blocks."""
        path = self._folder / spec.path
        stamp = _stamp(path)
        if stamp is None:
            source._seen = source._read = None
            return FileRefused([Problem(spec.path, 0, "", "is not there, or may not be read")], 1)
        first = source._seen is None and source._read is None
        at_rest, source._seen = stamp == source._seen or first, stamp
        if stamp == source._read or not at_rest:
            return None
        found: Loaded | FileRefused
        try:
            found = load(path, spec, spec.path, self._now().date())
        except FileRefused as refused:
            found = refused
        if _stamp(path) != stamp:
            # It changed while it was read: the next looks will see.
            return None
        source._read = stamp
        return found


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
