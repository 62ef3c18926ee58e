"""A session's numbers and messages in a file, for tools that have no database.

Each commit is one line, `<CRC-32> <JSON>`, that is flushed to the disk before anything is sent. A last line that was
cut off by a kill was not committed and is left out; a line that is wrong before others is an error. One process at a
time holds the file.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from crossrate.fix.numbers import Changes, Numbers, Sent
from crossrate.fix.store import StaleNumbers

IDLE_LINES_MAX = 10_000
"""Lines that hold no message; with more of them the file is written anew when it is opened."""


class FileBroken(Exception):
    """The file is held by another process, or a line that is not its last cannot be read; the message says which."""


class FileStore:
    """One session's file; made where it is missing. Close it with `close`."""

    def __init__(self, path: Path) -> None:
        """Opens the file and reads it.

        Raises:
            FileBroken: see there.
            OSError: it cannot be opened.
        """
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = (path.parent / f"{path.name}.lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise FileBroken(f"{path} is held by another process") from error
        self._numbers = Numbers(fresh=False)
        self._places: dict[int, int] = {}
        try:
            self._file = path.open("a+b")
            self._read()
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()
        self._lock.close()

    async def load(self) -> Numbers:
        """See Store."""
        numbers = self._numbers
        return Numbers(numbers.out, numbers.due, fresh=False, begun_ns=numbers.begun_ns)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """See Store; the file has no effects but its own."""
        yield None

    async def save(self, transaction: Any, changes: Changes) -> None:
        """See Store."""
        numbers = self._numbers
        if (numbers.out, numbers.due) != (changes.out_before, changes.due_before):
            raise StaleNumbers(f"{self._path} holds {numbers.out} and {numbers.due}")
        await asyncio.to_thread(self._write, changes)

    async def sent(self, first: int, last: int, limit: int) -> Sequence[Sent]:
        """See Store."""
        numbers = [number for number in sorted(self._places) if first <= number <= last][:limit]
        return await asyncio.to_thread(lambda: [self._sent(number) for number in numbers])

    # The file

    def _read(self) -> None:
        end = idle = 0
        for offset, line in _lines(self._file):
            record = _record(line)
            if record is None:
                if self._file.read(1):
                    raise FileBroken(f"{self._path}: the line at byte {offset} cannot be read, and others follow")
                break
            self._take(record, offset)
            idle += not record["sent"]
            end = offset + len(line)
        self._file.truncate(end)
        self._file.seek(0, os.SEEK_END)
        if idle > IDLE_LINES_MAX:
            self._rewrite()

    def _take(self, record: dict[str, Any], offset: int) -> None:
        if record["reset"]:
            self._places.clear()
        self._places.update((each[0], offset) for each in record["sent"])
        numbers = self._numbers
        numbers.out, numbers.due, numbers.begun_ns = record["out"], record["due"], record["begun_ns"]

    def _write(self, changes: Changes) -> None:
        line = _line(changes)
        if changes.reset:
            self._replace([line])
        else:
            offset = self._file.seek(0, os.SEEK_END)
            try:
                self._file.write(line)
                self._file.flush()
                os.fdatasync(self._file.fileno())
            except OSError:
                # What did not reach the disk must not stand before the next commit.
                self._file.truncate(offset)
                raise
        self._take(json.loads(line[9:]), 0 if changes.reset else offset)

    def _rewrite(self) -> None:
        """Leaves out what holds no message, and keeps where the numbers stand."""
        numbers = self._numbers
        sent = tuple(self._sent(number) for number in sorted(self._places))
        state = Changes(1, 1, numbers.out, numbers.due, numbers.begun_ns, True, sent)
        self._replace([_line(state)])
        self._places = dict.fromkeys(self._places, 0)

    def _replace(self, lines: Sequence[bytes]) -> None:
        made = self._path.with_name(f"{self._path.name}.new")
        with made.open("wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        made.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._file.close()
        self._file = self._path.open("a+b")

    def _sent(self, number: int) -> Sent:
        with self._path.open("rb") as file:
            file.seek(self._places[number])
            record = _record(file.readline())
        assert record is not None
        found = next(each for each in record["sent"] if each[0] == number)
        return Sent(found[0], *(each.encode("latin-1") for each in found[1:4]), found[4])


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(0)
    while True:
        offset = file.tell()
        line = file.readline()
        if not line:
            return
        yield offset, line


def _line(changes: Changes) -> bytes:
    sent = [
        [each.number, *(part.decode("latin-1") for part in (each.kind, each.header, each.body)), each.time_ns]
        for each in changes.sent
    ]
    record = {
        "out": changes.out,
        "due": changes.due,
        "begun_ns": changes.begun_ns,
        "reset": changes.reset,
        "sent": sent,
    }
    text = json.dumps(record, separators=(",", ":")).encode("ascii")
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _record(line: bytes) -> dict[str, Any] | None:
    """What a line says; None if it was not written to its end."""
    if not line.endswith(b"\n") or line[8:9] != b" ":
        return None
    text = line[9:-1]
    return json.loads(text) if b"%08x" % zlib.crc32(text) == line[:8] else None
