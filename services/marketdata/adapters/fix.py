"""A venue that speaks FIX 4.4: connection, logon, subscription, and what comes then."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from crossrate.fix.message import Field, Framer, Message
from crossrate.fix.rules import Numbers, Rules, State
from crossrate.fix.session import REJECT, Session, SessionEnded
from services.marketdata.adapter import Disconnected, Sink
from services.marketdata.adapters.fix_books import Books
from services.marketdata.feeds import FixFeed

CONNECT_S_MAX = 10.0
WRITE_S_MAX = 10.0
FAREWELL_S_MAX = 0.5
READ_BYTES = 65_536
ASK_AGAIN_S = 1.0
"""Snapshots of symbols with a gap are asked for at most this often."""
GARBLED = "a FIX message is garbled: its length or checksum is wrong"

REQUEST, SNAPSHOT, INCREMENTAL, REFUSED = b"V", b"W", b"X", b"Y"
LIST_REQUEST, LIST, BUSINESS_REJECT = b"x", b"y", b"j"


class Fix:
    """One feed's way to its venue. `numbers` outlive a connection, and a term."""

    def __init__(
        self,
        name: str,
        spec: FixFeed,
        folder: Path,
        numbers: Numbers,
        note: Any,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """For one term.

        Args:
            name: the feed; begins the ids of requests.
            spec: what was declared.
            folder: what paths of files are relative to.
            numbers: of the session.
            note: where to log.
            now_ns: the platform's clock, nanoseconds since 1970 UTC.
            monotonic: how much time has passed, seconds.
        """
        self._name = name
        self._spec = spec
        self._folder = folder
        self._numbers = numbers
        self._note = note
        self._now_ns, self._monotonic = now_ns, monotonic
        self._requests = 0

    async def run(self, sink: Sink) -> None:
        """See Adapter."""
        spec, where = self._spec, f"{self._spec.host}:{self._spec.port}"
        password = secret(self._folder / spec.password_file) if spec.password_file else ""
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                reader, writer = await asyncio.open_connection(spec.host, spec.port, **self._tls())
        except TimeoutError as error:
            raise Disconnected(f"{where} did not answer within {CONNECT_S_MAX:g} s") from error
        except OSError as error:
            raise Disconnected(f"{where} cannot be reached: {error.strerror or error}") from error
        rules = Rules(
            sender=spec.sender_comp_id,
            target=spec.target_comp_id,
            sender_sub=spec.sender_sub_id,
            target_sub=spec.target_sub_id,
            username=spec.username,
            heartbeat_s=spec.heartbeat_s,
            reset=spec.reset,
        )
        session = Session(rules, self._numbers, password=password, monotonic=self._monotonic, now_ns=self._now_ns)
        connection = _Connection(self, session, sink, reader, writer)
        try:
            await connection.run()
        except SessionEnded as error:
            with contextlib.suppress(OSError, Disconnected):
                await connection.flush()
            raise Disconnected(str(error)) from error
        except (ConnectionError, ssl.SSLError) as error:
            raise Disconnected(f"the connection to {where} broke: {error.strerror or error}") from error
        except asyncio.CancelledError:
            await connection.farewell()
            raise
        finally:
            writer.close()

    def _tls(self) -> dict[str, Any]:
        spec = self._spec
        if not spec.tls:
            return {}
        try:
            roots = str(self._folder / spec.ca_file) if spec.ca_file else None
            context = ssl.create_default_context(cafile=roots)
        except OSError as error:
            raise Disconnected(f"ca_file {spec.ca_file} cannot be read: {error.strerror or error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return {"ssl": context, "server_hostname": spec.server_name or spec.host}

    def request(self) -> str:
        """The id of the next request."""
        self._requests += 1
        return f"{self._name}-{self._now_ns() // 1_000_000}-{self._requests}"


class _Connection:
    """One connection: bytes, session, subscription."""

    def __init__(
        self, owner: Fix, session: Session, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        spec = owner._spec
        self._owner, self._spec, self._note = owner, spec, owner._note
        self._session, self._sink = session, sink
        self._reader, self._writer = reader, writer
        self._monotonic = owner._monotonic
        self._framer = Framer()
        self._garbled = self._filled = 0
        self._books = Books(
            spec.venue_clock(), depth=spec.depth, entry_time=spec.time == "entry", entry_key=spec.entry_key
        )
        self._asked: dict[str, tuple[str, ...]] = {}
        self._symbols: tuple[str, ...] = ()
        self._refused: set[str] = set()
        self._asked_again_at = 0.0
        self._subscribed = self._missing = False

    async def run(self) -> None:
        """Logs on and delivers.

        Raises:
            SessionEnded: the session ended.
            Disconnected: the venue went away, or refuses what is asked for.
        """
        session = self._session
        session.begin()
        while True:
            await self.flush()
            data = await self._read()
            if data is None:
                session.tick()
                continue
            if not data:
                middle = " in the middle of a message" if self._framer.within else ""
                raise Disconnected(f"the venue closed the connection{middle}")
            messages = self._framer.feed(data)
            if self._framer.garbled > self._garbled:
                self._sink.reject(GARBLED, self._framer.garbled - self._garbled)
                self._garbled = self._framer.garbled
            self._receive(messages)
            if self._monotonic() >= session.due:
                session.tick()
            if self._sink.full:
                await self._room()

    async def flush(self) -> None:
        """Sends what the session has to say."""
        output = self._session.take()
        if output:
            self._writer.write(output)
            try:
                async with asyncio.timeout(WRITE_S_MAX):
                    await self._writer.drain()
            except TimeoutError as error:
                raise Disconnected("the venue does not read what it is sent") from error

    async def farewell(self) -> None:
        """Logs out, and waits a moment for the venue's answer."""
        if self._session.state not in (State.ACTIVE, State.LOGON_SENT):
            return
        self._session.end("the feed is handed over or stops")
        with contextlib.suppress(OSError, TimeoutError, SessionEnded, Disconnected):
            async with asyncio.timeout(FAREWELL_S_MAX):
                await self.flush()
                while data := await self._reader.read(READ_BYTES):
                    for message in self._framer.feed(data):
                        self._session.receive(message)

    async def _read(self) -> bytes | None:
        """What came; None when a timer is due first."""
        try:
            async with asyncio.timeout(max(self._session.due - self._monotonic(), 0.0)):
                return await self._reader.read(READ_BYTES)
        except TimeoutError:
            return None

    async def _room(self) -> None:
        """Does not read until the log has taken what waits; heartbeats go on."""
        session = self._session
        while self._sink.full:
            session.excuse()
            try:
                async with asyncio.timeout(max(session.due - self._monotonic(), 0.0)):
                    await self._sink.room()
            except TimeoutError:
                session.excuse()
                session.tick()
                await self.flush()
        session.excuse()

    # What comes

    def _receive(self, messages: Sequence[Message]) -> None:
        """Has the session read messages, and takes what is due; also of those before one that ends the session."""
        ready: list[Message] = []
        try:
            for message in messages:
                ready += self._session.receive(message)
        except SessionEnded as ended:
            self._take(ready + ended.ready)
            raise
        self._take(ready)

    def _take(self, messages: Sequence[Message]) -> None:
        session, sink, books = self._session, self._sink, self._books
        if not self._subscribed and session.state is State.ACTIVE:
            self._subscribed = True
            sink.up("logged on")
            self._begin()
        self._watch_gaps()
        quotes = []
        for message in messages:
            kind = message.kind
            if kind == INCREMENTAL:
                quotes += books.incremental(message)
            elif kind == SNAPSHOT:
                quotes += books.snapshot(message)
            else:
                self._other(kind, message)
        for reason in books.rejected:
            sink.reject(reason)
        books.rejected.clear()
        if books.missing:
            sink.missed(books.missing)
            books.missing = 0
        if quotes:
            sink.put(quotes)
        if books.updates:
            sink.depth(books.updates)
            books.updates.clear()
        broken = books.broken | sink.wanted
        if broken and self._monotonic() >= self._asked_again_at + ASK_AGAIN_S:
            self._asked_again_at = self._monotonic()
            self._ask(tuple(broken), subscribe=False)

    def _watch_gaps(self) -> None:
        """Says when messages are missing, and asks for snapshots if they do not come again."""
        session = self._session
        if session.missing and not self._missing:
            self._sink.gapped(0)
        self._missing = session.missing
        if session.filled > self._filled:
            missing, self._filled = session.filled - self._filled, session.filled
            # What the venue passes over may have been market data: nothing is known until it says it all again.
            self._sink.gapped(missing)
            self._books.forget()
            self._asked_again_at = self._monotonic()
            if self._symbols and session.state is State.ACTIVE:
                self._ask(self._symbols, subscribe=False)

    def _other(self, kind: bytes, message: Message) -> None:
        if kind == REFUSED:
            self._refuse(message.text(262), message.text(58) or f"MDReqRejReason {message.text(281)}")
        elif kind == LIST:
            self._listed(message)
        elif kind in (REJECT, BUSINESS_REJECT):
            raise Disconnected(
                f"the venue rejects message {message.text(45)} of type {message.text(372)}: "
                f"{message.text(58) or 'without a reason'}"
            )
        elif self._session.state is State.ACTIVE:
            ignored = kind.decode("latin-1")
            self._session.send(BUSINESS_REJECT, [(45, message.text(34)), (372, ignored), (380, 3)])
            self._note.warning("the venue sent a message of a type that is not asked for", type=ignored)

    # What is asked for

    def _begin(self) -> None:
        if self._spec.security_list:
            self._session.send(LIST_REQUEST, [(320, self._owner.request()), (559, 4)])
        instruments = self._spec.instruments
        if instruments:
            self._subscribe([self._spec.symbol(each) for each in instruments])

    def _listed(self, message: Message) -> None:
        if (result := message.get(560)) not in (b"", b"0"):
            raise Disconnected(f"the venue does not list its instruments: SecurityRequestResult {result.decode()}")
        symbols = [value.decode("latin-1") for tag, _, value in message.pairs if tag == b"55"]
        mapped = [each for each in symbols if self._spec.mapped(each) is not None and each not in self._symbols]
        if mapped:
            self._subscribe(list(dict.fromkeys(mapped)))

    def _subscribe(self, symbols: list[str]) -> None:
        self._symbols += tuple(symbols)
        self._ask(symbols, subscribe=True)

    def _ask(self, symbols: Sequence[str], *, subscribe: bool) -> None:
        """Asks for snapshots, and for updates after them if `subscribe`; not in a session that has ended."""
        spec = self._spec
        if self._session.state is not State.ACTIVE:
            return
        for start in range(0, len(symbols), spec.symbols_per_request):
            part = tuple(symbols[start : start + spec.symbols_per_request])
            name = self._owner.request()
            body: list[Field] = [(262, name), (263, 1 if subscribe else 0), (264, spec.depth)]
            if subscribe:
                self._asked[name] = part
                body.append((265, 1 if spec.updates == "incremental" else 0))
            body += [(267, 2), (269, 0), (269, 1), (146, len(part))]
            body += [(55, symbol) for symbol in part]
            self._session.send(REQUEST, body)

    def _refuse(self, name: str, reason: str) -> None:
        symbols = self._asked.pop(name, ())
        self._refused.update(symbols)
        self._note.warning("the venue refuses market data", symbols=list(symbols), reason=reason)
        self._sink.reject(f"the venue refuses market data: {reason}"[:200], max(len(symbols), 1))
        if symbols and not self._asked:
            raise Disconnected(f"the venue refuses all market data that is asked for: {reason}")


def secret(path: Path) -> str:
    """A secret from a file that its owner alone may read.

    Raises:
        Disconnected: it is not there, or others may read it.
    """
    try:
        mode = path.stat().st_mode & 0o077
        text = path.read_text().strip()
    except OSError as error:
        raise Disconnected(f"the secret in {path} cannot be read: {error.strerror}") from error
    if mode:
        raise Disconnected(f"others than its owner may read {path}; chmod 600 it")
    return text
