"""Follows what identity revokes: its stream's last minutes at the start, then every fact as it comes.

    crossrate.identity.v1.session_revoked.<sid>      a session was ended
    crossrate.identity.v1.grants_changed.<sub>       a user's or machine's grants have changed

A change of grants says up to which `iat` tokens do not know it: identity issues the next one with a later second, also
within the second of the change. A fact reaches open streams at once; where NATS has been away for longer than
SILENT_S_MAX, streams end that live on a token which is over, since nobody could say any more whether its session still
stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from typing import Any

from google.protobuf.message import DecodeError

from crossrate.api.identity.v1 import identity_events_pb2
from crossrate.events.envelope import Event
from crossrate.events.errors import EventsUnavailable
from crossrate.events.events import Events
from crossrate.rpc.admission import Admission
from crossrate.rpc.revocations import KEEP_S, Revocations
from crossrate.runtime.ending import end
from crossrate.runtime.process import Runtime

SUBJECTS = ("crossrate.identity.v1.session_revoked.*", "crossrate.identity.v1.grants_changed.*")
STREAM = "identity"
POLL_S = 2.0
"""The stream is read so often even if nothing is announced."""
SILENT_S_MAX = 10.0
GRACE_S = 60.0
"""How much longer than its token a stream lives while NATS is away."""
PAUSE_S = 0.05
BACKOFF_S_MAX = 5.0


class RevocationFollower:
    """Keeps an instance's revocations up to date.

    Args:
        admission: whose streams end.
    """

    def __init__(self, runtime: Runtime, revocations: Revocations, admission: Admission) -> None:
        self._runtime = runtime
        self._log = runtime.log
        self._revocations = revocations
        self._admission = admission
        self._after = dict.fromkeys(SUBJECTS, 0)
        self._wake_up = asyncio.Event()
        self._heard_at = time.monotonic()
        self._task: asyncio.Task | None = None
        revocations.on_change = self._wake_streams

    def start(self) -> None:
        """Begins to follow, if this mesh issues tokens."""
        topology = self._runtime.topology
        if topology.tokens is not None and STREAM in topology.streams:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends it."""
        if self._task is not None:
            await end({self._task})

    async def _run(self) -> None:
        pause_s = PAUSE_S
        while True:
            events: Events | None = None
            try:
                events = await Events.open(self._runtime, open_timeout_s=10.0)
                for subject in SUBJECTS:
                    await events.subscribe_core(subject, self._announced)
                while True:
                    self._wake_up.clear()
                    await self._read(events)
                    pause_s = PAUSE_S
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(POLL_S):
                            await self._wake_up.wait()
            except (EventsUnavailable, OSError, ValueError, KeyError) as error:
                never_yet = not self._revocations.complete and pause_s == PAUSE_S
                if never_yet or pause_s == BACKOFF_S_MAX:
                    self._log.warning("revocations are not followed; trying again", error=repr(error))
            finally:
                if events is not None:
                    await events.close()
            self._end_unprovable()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, BACKOFF_S_MAX)

    async def _announced(self, _message: Any) -> None:
        self._wake_up.set()

    async def _read(self, events: Events) -> None:
        """Everything new, of both kinds; the first time, what a token could still be older than."""
        since = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=KEEP_S)
        for subject in SUBJECTS:
            first = not self._after[subject]
            while True:
                page = await events.read(STREAM, self._after[subject], subject=subject, since=since if first else None)
                for event in page:
                    self._take(event)
                    self._after[subject] = event.sequence
                    first = False
                if not page:
                    break
        self._heard_at = time.monotonic()
        self._revocations.complete = True

    def _take(self, event: Event) -> None:
        kind, _, name = event.subject.removeprefix("crossrate.identity.v1.").partition(".")
        at = event.time_ns / 1e9 if event.time_ns else event.store_time.timestamp()
        if kind == "session_revoked":
            self._revocations.end_session(name, at)
        else:
            self._revocations.change_grants(name, self._outdated_until(event, at))

    def _outdated_until(self, event: Event, at: float) -> float:
        """Up to which `iat` a subject's tokens do not know its grants; 0 for a new one.

        Where that cannot be read: when they changed and a second on. Rather one token too many is refused than one too
        few.
        """
        change = identity_events_pb2.GrantsChanged()
        with contextlib.suppress(DecodeError):
            change.ParseFromString(event.payload)
        if not change.subject:
            self._log.error("a change of grants cannot be read", subject=event.subject, sequence=event.sequence)
            return at + 1.0
        return float(change.issued_until)

    def _wake_streams(self) -> None:
        ended = self._admission.end_clients(self._revocations.hit)
        if ended:
            self._log.info("streams of a revoked session end", streams=ended)

    def _end_unprovable(self) -> None:
        """With NATS away: ends the streams whose token is over."""
        if time.monotonic() - self._heard_at > SILENT_S_MAX:
            now = time.time()
            ended = self._admission.end_clients(lambda client: client.expire_time + GRACE_S < now)
            if ended:
                self._log.warning("streams end whose session nobody can vouch for", streams=ended)
