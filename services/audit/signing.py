"""Checkpoints: each second, if something is new, the tree is signed, kept and shown to the witness.

What is signed comes from memory, not from the tables: a table that was changed meanwhile cannot get a signature. But
the tables must still have it: appends do not wait for the disk, and a crash takes the last of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
from prometheus_client import Gauge

from crossrate.api.audit.v1 import audit_events_pb2
from crossrate.store.errors import StoreError
from crossrate.transparency.checkpoint import Checkpoint, sign_checkpoint
from crossrate.transparency.tree import Frontier
from services.audit.keys import KeyMissing, Keys
from services.audit.store.log import Log, Overtaken
from services.audit.store.tree import LogChanged, root_at
from services.audit.witnessing import Refusal, Witnessing

SIZE = Gauge("crossrate_audit_checkpoint_size", "Facts that the newest checkpoint of this instance covers")
ALARMS = Gauge("crossrate_audit_alarms", "Alarms about the log that this instance has raised")
PASSING = (OSError, TimeoutError, StoreError, asyncpg.PostgresError, Overtaken)


class Signing:
    """Signs checkpoints of one instance. Instances side by side sign the same tree; the first of a size is kept."""

    def __init__(
        self,
        log: Log,
        keys: Keys,
        origin: str,
        witnessing: Witnessing | None,
        notes: Any,
        *,
        interval_s: float,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._keys = keys
        self._origin = origin
        self._witnessing = witnessing
        self._notes = notes
        self._interval_s = interval_s
        self._clock_s = clock_s
        self._signed = 0
        self.alarms: dict[str, str] = {}
        self.error = ""
        self.news = asyncio.Event()
        """Set, and made anew, with each new checkpoint."""

    async def check(self) -> None:
        """Compares what was signed last with the tables, as they are read at start. What does not agree is an alarm.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._log.database.connection() as connection:
            newest = await connection.fetchrow("SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1")
            if newest is None:
                return
            head = await connection.fetchval("SELECT size FROM log_head")
            words = f"the newest checkpoint has {newest['size']} facts"
            if head < newest["size"]:
                await self.alarm("LOG_WENT_BACK", f"the tables have {head} facts, {words}", newest["size"])
                return
            try:
                agrees = await root_at(connection, newest["size"]) == newest["root"]
            except LogChanged as error:
                words, agrees = f"{words}, and {error}", False
        if not agrees:
            await self.alarm("LOG_CHANGED", f"{words}, and the tables do not lead to its root", newest["size"])
        else:
            self._signed = newest["size"]

    async def run(self, stopping: asyncio.Event) -> None:
        """Signs until `stopping` is set, and once more then."""
        while True:
            stopped = stopping.is_set()
            try:
                await self.step()
                self.error = ""
            except (KeyMissing, *PASSING) as error:
                if self.error != (words := f"{type(error).__name__}: {error}"):
                    self._notes.warning("no checkpoint", error=words)
                self.error = words
            if stopped:
                return
            try:
                async with asyncio.timeout(self._interval_s):
                    await stopping.wait()
            except TimeoutError:
                pass

    async def step(self) -> bool:
        """Signs what is new; False if nothing is.

        Raises:
            StoreUnavailable, OutcomeUnknown: the database is away; the next step does it.
            KeyMissing: this machine cannot sign.
            Overtaken: the tables have lost what this instance knew; nothing was signed.
        """
        tree, newest = self._log.committed
        signed = False
        if tree.size > self._signed:
            signed = await self._sign(tree, newest)
        await self._show()
        return signed

    async def _sign(self, tree: Frontier, newest: bytes) -> bool:
        known = await self._keys.known()
        now = datetime.fromtimestamp(self._clock_s(), UTC)
        async with self._log.database.transaction() as connection:
            # One instance after the other, so that each checkpoint names the one before.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '/checkpoint'))")
            previous = await connection.fetchval("SELECT max(size) FROM checkpoint") or 0
            if not await self._log.is_there(connection, tree, newest):
                self._notes.warning("appends_lost", size=tree.size)
                raise Overtaken("the last appends are not in the tables any more: they are read again")
            if previous < tree.size:
                lines = (f"time {now.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}", f"previous {previous}")
                checkpoint = Checkpoint(self._origin, tree.size, tree.root(), lines)
                note = sign_checkpoint(checkpoint, self._keys.signers(known, previous, tree.size))
                await connection.execute(
                    "INSERT INTO checkpoint (size, root, note, time) VALUES ($1, $2, $3, $4)",
                    tree.size,
                    checkpoint.root,
                    note,
                    now,
                )
        self._signed = max(previous, tree.size)
        SIZE.set(self._signed)
        self.news.set()
        self.news = asyncio.Event()
        return previous < tree.size

    async def _show(self) -> None:
        """Shows the witness the newest checkpoint."""
        if self._witnessing is None:
            return
        try:
            await self._witnessing.show()
        except Refusal as refusal:
            await self.alarm("WITNESS_REFUSES", str(refusal), refusal.size)
        except LogChanged as error:
            await self.alarm("LOG_CHANGED", f"no proof for the witness: {error}", self._signed)

    async def alarm(self, kind: str, text: str, size: int) -> None:
        """Raises an alarm: in the log of the process, in status and metrics, and as a fact. Once each."""
        if kind in self.alarms:
            return
        self.alarms[kind] = text
        ALARMS.set(len(self.alarms))
        self._notes.critical("audit_alarm", kind=kind, text=text, size=size)
        fact = audit_events_pb2.LogAlarmRaised(kind=kind, text=text[:1000], size=size)
        try:
            await self._log.append((), {}, own=[fact])
        except (LogChanged, *PASSING) as error:
            self._notes.error("the alarm is no fact", error=f"{type(error).__name__}: {error}")
