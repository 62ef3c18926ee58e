"""Reading: each audited stream from its position, everything into the log, positions and facts in one transaction.

A stream is known by its name and by when it was made, so that one that was made anew is read from its beginning. What
comes twice is left out by its journal number; what is missing is looked for in the whole stream before the log says
that it is.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any

import asyncpg
from prometheus_client import Counter

from crossrate.events import Event, Events
from crossrate.events.errors import EventsError
from crossrate.events.events import READ_MAX
from crossrate.runtime.topology import DENIALS, Topology, bucket_of
from crossrate.store.errors import StoreError
from crossrate.transparency.continuity import Source, name_of
from services.audit.domain import NO_JOURNAL, Incoming, bounded, key
from services.audit.payloads import Payloads, split
from services.audit.store.log import Log, Overtaken
from services.audit.store.tree import LogChanged

FACTS = Counter("crossrate_audit_facts_total", "Facts appended by this instance")
PASSING = (OSError, TimeoutError, StoreError, EventsError, asyncpg.PostgresError, LogChanged, Overtaken)
"""What says nothing about a fact: tried again for ever, with growing pauses."""
_BACKOFF_S_MAX = 5.0
FAULT = "fault"
GATHER_S = 0.2
"""From one batch to the next, unless more waits than goes into one: looking costs as much as a hundred facts."""
ROUTE = "route"
TAP = "tap"
CONFIG = "config"


@dataclass(slots=True)
class Stream:
    """An audited stream: how far it was read, and its last message as far as that is known."""

    name: str
    created: str = ""
    position: int = 0
    last: int = 0

    @property
    def key(self) -> str:
        """Its name among the positions."""
        return f"{self.name}@{self.created}"


class Reader:
    """One instance's reader of all audited streams."""

    def __init__(
        self,
        log: Log,
        events: Events,
        topology: Topology,
        streams: tuple[str, ...],
        notes: Any,
        *,
        poll_s: float,
        batch_max: int,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._log = log
        self._events = events
        self._topology = topology
        self._notes = notes
        self._poll_s = poll_s
        self._batch_max = batch_max
        self._clock_ns = clock_ns
        self._payloads = Payloads()
        self.streams = [Stream(name) for name in streams]
        self._generation = log.generation
        self._full = False
        """Whether the last batch has left something behind."""
        self.error = ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Reads until `stopping` is set."""
        failures = 0
        while not stopping.is_set():
            try:
                moved = await self.step()
                failures, self.error = 0, ""
            except PASSING as error:
                failures += 1
                moved = False
                if self.error != (words := f"{type(error).__name__}: {error}"[:500]):
                    self._notes.warning("audit_waits", error=words)
                self.error = words
            if not moved:
                backoff = min(_BACKOFF_S_MAX, 0.05 * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0)
                await _pause(backoff if failures else self._poll_s, stopping)
            elif not self._full:
                await _pause(min(GATHER_S, self._poll_s), stopping)

    async def step(self) -> bool:
        """Appends the next batch of all streams; False if there was none.

        Raises:
            OSError, TimeoutError, StoreError, EventsError: something is away; nothing was appended.
        """
        await self._find_streams()
        pages = await asyncio.gather(*(self._page(stream) for stream in self.streams))
        self._full = any(len(page) >= self._batch_max for page in pages)
        facts, positions = [], {}
        for stream, events in zip(self.streams, pages, strict=True):
            if events:
                facts += [fact for event in events for fact in self._facts(stream, event)]
                positions[stream.key] = events[-1].sequence
        if not positions:
            return False
        facts = await self._with_missing(facts)
        before = self._log.appended
        await self._log.append(facts, positions)
        FACTS.inc(self._log.appended - before)
        for stream in self.streams:
            stream.position = positions.get(stream.key, stream.position)
        return True

    async def _find_streams(self) -> None:
        """Learns where streams begin and how far they were read, of those of which it is not known."""
        if self._generation != self._log.generation:
            self._generation = self._log.generation
            for stream in self.streams:
                stream.created = ""
        unknown = [stream for stream in self.streams if not stream.created]
        if not unknown:
            return
        positions = await self._log.positions()
        for stream in unknown:
            ends = await self._events.stream_ends(stream.name)
            stream.created, stream.last = ends.created, ends.last
            stream.position = positions.get(stream.key, 0)

    async def _page(self, stream: Stream) -> list[Event]:
        """The next messages of a stream, as many as go into one batch."""
        found: list[Event] = []
        while len(found) < self._batch_max:
            after = found[-1].sequence if found else stream.position
            page = await self._events.read(stream.name, after)
            found += page
            if len(page) < READ_MAX:
                break
        if not found:
            await self._look(stream)
        return found

    async def _look(self, stream: Stream) -> None:
        """Whether a stream that has nothing new is still the one that it was; looked at now and then."""
        if random.random() > 0.1:
            return
        ends = await self._events.stream_ends(stream.name)
        stream.last = ends.last
        if ends.created != stream.created:
            self._notes.warning("stream_made_anew", stream=stream.name)
            stream.created = ""
        elif ends.last < stream.position:
            # It lost its end, and its owner publishes that anew: what the log has already is left out.
            self._notes.warning("stream_went_back", stream=stream.name, position=stream.position, last=ends.last)
            stream.position = 0

    async def end_of(self, stream: Stream) -> int:
        """Number of a stream's last message; 0 while NATS does not answer."""
        try:
            return (await self._events.stream_ends(stream.name, timeout_s=1.0)).last
        except EventsError:
            return 0

    def _facts(self, stream: Stream, event: Event) -> list[Incoming]:
        """The facts of a message: one, or those that are joined in it."""
        first, last = event.origin_first, event.origin_sequence
        if first >= last:
            return [self._fact(stream, event)]
        try:
            parts = split(event.payload)
            if len(parts) != last - first + 1:
                raise ValueError(f"{len(parts)} parts where numbers {first} to {last} should be")
        except ValueError as error:
            # Taken for the last one; those before are then looked for, and told to be missing.
            self._notes.error("joined_facts_cannot_be_told_apart", sequence=event.sequence, error=str(error))
            return [self._fact(stream, event)]
        owner, kind = self._topology.streams[stream.name].owner, event.type
        found = []
        for number, part in enumerate(parts, start=first):
            keys, payload, form, time_ns = self._payloads.read(kind, part)
            time_ns = time_ns or event.time_ns
            found.append(
                Incoming(owner, event.origin_stream, number, event.subject, kind, time_ns, "", keys, payload, form)
            )
        return found

    def _fact(self, stream: Stream, event: Event) -> Incoming:
        bucket = bucket_of(stream.name)
        if bucket is not None:
            word = event.subject.rpartition("$KV.")[2].removeprefix(f"{bucket}.").partition(".")[0]
            service, kind = "control", CONFIG if bucket == CONFIG else word if word in (FAULT, TAP) else ROUTE
            keys, payload, form, _ = self._payloads.read_json(event.payload)
        else:
            service, kind = self._topology.streams[stream.name].owner, event.type
            if stream.name == DENIALS:
                service = event.subject.rpartition(".")[2]  # NATS lets nobody else publish there.
            keys, payload, form, _ = self._payloads.read(event.type, event.payload)
        if event.request_id:
            keys = bounded((*keys, key("request", event.request_id)))
        journal, sequence = event.origin_stream, event.origin_sequence
        if not journal or not sequence:
            journal, sequence = f"{NO_JOURNAL}{stream.key}", event.sequence
        time_ns = event.time_ns or int(event.store_time.timestamp() * 1_000_000) * 1000
        return Incoming(service, journal, sequence, event.subject, kind, time_ns, event.request_id, keys, payload, form)

    async def _with_missing(self, facts: list[Incoming]) -> list[Incoming]:
        """The facts, and before each what should have come before it, as far as its stream still has it."""
        expected: dict[Source, int] = {}
        holes: dict[int, range] = {}
        for place, fact in enumerate(facts):
            if fact.has_journal:
                last = expected.get(fact.source)
                if last is None:
                    last = await self._log.last_sequence(fact.source)
                if fact.sequence > last + 1:
                    holes[place] = range(last + 1, fact.sequence)
                expected[fact.source] = max(last, fact.sequence)
        if not holes:
            return facts
        found = await self._look_for({facts[place].source for place in holes}, list(holes.values()))
        whole: list[Incoming] = []
        for place, fact in enumerate(facts):
            for number in holes.get(place, ()):
                if (missing := found.get((fact.source, number))) is not None:
                    whole.append(missing)
            whole.append(fact)
        return whole

    async def _look_for(self, sources: Set[Source], numbers: Sequence[range]) -> dict[tuple[Source, int], Incoming]:
        """What of some sources stands anywhere in their streams, each stream read once; at most what is missing."""
        services = {service for service, _ in sources}
        low, high = min(each.start for each in numbers), max(each.stop for each in numbers)
        found: dict[tuple[Source, int], Incoming] = {}
        for stream in self.streams:
            declared = self._topology.streams.get(stream.name)
            if declared is None or declared.owner not in services:
                continue
            told = sorted(name_of(source) for source in sources if source[0] == declared.owner)
            self._notes.warning("facts_are_missing", sources=told[:10], count=len(told), stream=stream.name)
            async for event in self._events.replay(stream.name):
                if (declared.owner, event.origin_stream) not in sources:
                    continue
                if event.origin_sequence >= low and event.origin_first < high:
                    for each in self._facts(stream, event):
                        if low <= each.sequence < high:
                            found[each.source, each.sequence] = each
        return found


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
