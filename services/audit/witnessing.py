"""The witness from here: a process of its own, or run by another, and shown each checkpoint (C2SP tlog-witness)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossrate.store.database import Database
from crossrate.transparency.note import Note, NoteError, Verifier
from crossrate.transparency.tree import consistency_ranges
from crossrate.transparency.witness import TAKEN, request_of
from services.audit.keys import Keys
from services.audit.store.tree import proof_of

TIMEOUT_S = 5.0
ANSWER_BYTES_MAX = 65_536
OK, CONFLICT, FORBIDDEN, NOT_FOUND, UNPROCESSABLE = 200, 409, 403, 404, 422


class Refusal(Exception):
    """The witness does not cosign: what it has seen is not the beginning of this log, or it does not trust its key."""

    def __init__(self, size: int, words: str) -> None:
        super().__init__(words)
        self.size = size


@dataclass(slots=True)
class Seen:
    """What the witness said last. `state`: AGREES, AWAY or REFUSES."""

    state: str = "AWAY"
    size: int = 0
    time_s: int = 0
    reason: str = "it has not been asked yet"
    key: str = ""


class OwnWitness:
    """The process: started when it is not there, ended with this one by the end of its standard input."""

    def __init__(self, folder: Path, socket: Path, origin: str, keys: Keys, notes: Any) -> None:
        self._folder = folder
        self._socket = socket
        self._origin = origin
        self._keys = keys
        self._notes = notes
        self._process: Process | None = None
        self._known: list[str] = []

    async def ensure(self) -> None:
        """Starts it if it is not there, and anew if the log has a new key."""
        known = [key.key for key in await self._keys.known()]
        if self._process is not None and self._process.returncode is None:
            if known == self._known:
                return
            await self.close()
        if self._process is not None and self._process.returncode not in (0, TAKEN):
            self._notes.warning("the witness ended", exit_code=self._process.returncode)
        self._known = known
        options = [option for key in known for option in ("--key", key)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "crossrate.transparency.witness_server"),
            *("--folder", str(self._folder), "--socket", str(self._socket), "--origin", self._origin, *options),
            stdin=asyncio.subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith("CROSSRATE_")},
        )

    async def close(self) -> None:
        """Ends it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


class Witnessing:
    """Shows the witness the newest checkpoint, with the proof that what it saw last is the beginning of it."""

    def __init__(self, database: Database, address: str, key: str, own: OwnWitness | None) -> None:
        self._database = database
        self._address = address
        self._own = own
        self.seen = Seen(key=key)

    async def show(self) -> None:
        """Once; does nothing if it has seen the newest one.

        Raises:
            Refusal: the witness refuses.
            LogChanged: the tables do not have what the proof needs.
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            newest = await connection.fetchrow("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")
        if newest is None or (newest["size"] == self.seen.size and self.seen.state == "AGREES"):
            return
        try:
            if self._own is not None:
                await self._own.ensure()
            await self._add(newest["size"], newest["note"])
        except (OSError, TimeoutError, NoteError, ValueError) as error:
            if self.seen.state != "REFUSES":
                self.seen.state, self.seen.reason = "AWAY", f"{type(error).__name__}: {error}"[:300]

    async def _add(self, size: int, note: str) -> None:
        if not self.seen.key and self._own is not None:
            self.seen.key = (await self._call("GET", "/key", ""))[1].strip()
        for _ in range(3):
            old = self.seen.size
            async with self._database.connection() as connection:
                proof = await proof_of(connection, consistency_ranges(old, size))
            status, answer = await self._call("POST", "/add-checkpoint", request_of(old, proof, note))
            if status == OK:
                await self._agrees(size, note, answer)
                return
            if status != CONFLICT:
                break
            self.seen.size = int(answer)
            if self.seen.size > size:
                answer = f"it has seen {self.seen.size} facts, the log has {size}: the log was put back"
                break
        if status in (CONFLICT, FORBIDDEN, NOT_FOUND, UNPROCESSABLE):
            self.seen.state, self.seen.reason = "REFUSES", answer.strip()[:300]
            raise Refusal(size, self.seen.reason)
        raise ValueError(f"the witness answered {status}: {answer.strip()[:200]}")

    async def _agrees(self, size: int, note: str, line: str) -> None:
        text = note.rpartition("\n\n")[0] + "\n"
        if self.seen.key:
            verifier = Verifier.parse(self.seen.key)
            times = Note.parse(f"{text}\n{line}").signed_by([verifier])
            if not times:
                raise NoteError(f"the cosignature is not by {verifier.name}+{verifier.id.hex()}")
            self.seen.time_s = times[verifier]
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE checkpoint SET cosignature = $2 WHERE size = $1 AND cosignature IS NULL", size, line
            )
        self.seen.size, self.seen.state, self.seen.reason = size, "AGREES", ""

    async def _call(self, method: str, path: str, body: str) -> tuple[int, str]:
        async with asyncio.timeout(TIMEOUT_S):
            if self._address.startswith("unix:"):
                return await _unix_call(self._address.removeprefix("unix:"), method, path, body.encode())
            return await asyncio.to_thread(_url_call, self._address.rstrip("/") + path, method, body.encode())

    async def close(self) -> None:
        """Ends the process, if there is one."""
        if self._own is not None:
            await self._own.close()


async def _unix_call(socket: str, method: str, path: str, body: bytes) -> tuple[int, str]:
    reader, writer = await asyncio.open_unix_connection(socket, limit=ANSWER_BYTES_MAX)
    try:
        head = f"{method} {path} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.read(ANSWER_BYTES_MAX)
        while more := await reader.read(ANSWER_BYTES_MAX):
            answer += more
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    head, _, text = answer.partition(b"\r\n\r\n")
    try:
        return int(head.split(maxsplit=2)[1]), text.decode()
    except (IndexError, ValueError, UnicodeDecodeError):
        raise ValueError("the witness did not answer in HTTP") from None


def _url_call(url: str, method: str, body: bytes) -> tuple[int, str]:
    # 4 MiB of modules that a witness on this machine does not need.
    import urllib.error
    import urllib.request

    request = urllib.request.Request(url, data=body if method == "POST" else None, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return answer.status, answer.read(ANSWER_BYTES_MAX).decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read(ANSWER_BYTES_MAX).decode("utf-8", "replace")
