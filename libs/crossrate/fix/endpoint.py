"""One session over all its connections: bytes, store and application together.

    bytes ─▶ Session ─▶ messages ─▶ Application.received ┐
                                    Unit.send            ├─ one transaction of the store ─ commit ─▶ bytes
    Endpoint.unit (the application, at any time)        ─┘

What came in one read is one transaction: the application's effects, the messages that it sends and the numbers commit
together, and only then bytes go out. If the transaction fails, nothing of it has happened: the connection is closed,
the session forgotten, and the next connection begins from what is stored; the peer sends again what was not
acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from crossrate.fix.application import Application, Disconnected, Unit
from crossrate.fix.faults import NotLoggedOn, SessionEnded
from crossrate.fix.message import Framer, Message
from crossrate.fix.numbers import Recall, Sent
from crossrate.fix.rules import Rules, State
from crossrate.fix.schedule import Schedule
from crossrate.fix.session import Session
from crossrate.fix.store import Store

READ_BYTES = 65_536
WRITE_S_MAX = 10.0
"""How long the peer may take to read what it is sent."""
RESEND_CHUNK = 500
"""Messages that are read from the store at a time."""


class Endpoint:
    """One session. Initiator and Acceptor run its connections.

    Attributes:
        rules: what it is told.
        connected: whether it has a connection.
        logons: how often the session has stood since the process began.
    """

    def __init__(
        self,
        rules: Rules,
        store: Store,
        application: Application,
        note: Any,
        *,
        password: str = "",
        decode: Callable[[Message], Any] | None = None,
        may_resend: Callable[[Sent], bool] | None = None,
        schedule: Schedule | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """An endpoint without a connection.

        Args:
            rules: what the session is told.
            store: where its numbers are.
            application: what is behind it.
            note: where to log.
            password: of an initiator's logon.
            decode: see Session; of an initiator of orders a crossrate.fix.reader.Decoder.
            may_resend: see Session; for orders that would be too old.
            schedule: when the session is open; always without one.
            now_ns: the platform's clock, nanoseconds since 1970 UTC.
            monotonic: how much time has passed, seconds.
        """
        self.rules, self.schedule, self.now_ns, self.monotonic = rules, schedule, now_ns, monotonic
        self.connected = False
        self.logons = 0
        self._store, self._application = store, application
        self._note = note.bind(session=rules.name)
        self._given = {"password": password, "decode": decode, "may_resend": may_resend}
        self._session: Session | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._lock = asyncio.Lock()
        self._garbled = 0
        self._told = False
        self._span: tuple[int, int] | None = None

    @property
    def standing(self) -> bool:
        """Whether both sides are logged on."""
        return self._session is not None and self._session.state is State.ACTIVE

    @property
    def passed_over(self) -> int:
        """Numbers of this connection that the peer passed over instead of sending the messages again."""
        return self._session.filled if self._session is not None else 0

    @property
    def resets(self) -> int:
        """How often the peer had the numbers of this connection begin at 1; what was under way then is lost."""
        return self._session.resets if self._session is not None else 0

    # The application's side

    @contextlib.asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """A transaction of the application's own, at whose end messages go out.

        Raises:
            NotLoggedOn: see Unit.send.
            StaleNumbers: another process speaks for the session.
            Exception: whatever store and block raise; then nothing is sent, and after a failed or unknown commit the
                connection ends.
        """
        async with self._lock:
            session = await self._loaded()
            if not self.connected:
                self._renew(session)
            async with self._committing() as begin, self._store.transaction() as transaction:
                unit = Unit(session, transaction, offline=False)
                yield unit
                unit.check()
                begin()
                unit.post()
                items = await self._stored(session, transaction)
            # It is committed: what cannot be written now is asked for after the next logon.
            with contextlib.suppress(Disconnected):
                await self._write(session, items)

    async def set_numbers(self, *, out: int, due: int) -> None:
        """Sets the numbers by hand, where both sides' operators have agreed on them; not while there is a connection.

        Numbers that are left out are filled by a gap when the peer asks for them. 1 and 1 forget all that was sent.

        Raises:
            ValueError: there is a connection, or `out` would be given a second time.
        """
        async with self._lock:
            session = await self._loaded()
            numbers, anew = session.numbers, (out, due) == (1, 1)
            if self.connected or due < 1 or (out < numbers.out and not anew):
                raise ValueError(f"out {out}, due {due}: our next is {numbers.out}; connected: {self.connected}")
            if anew:
                session.renew()
            numbers.out, numbers.due = out, due
            await self._save_and_write(session)

    async def end(self, text: str = "") -> None:
        """Logs out; the connection ends with the peer's answer, or without it after `logout_s`."""
        async with self._lock:
            if self._session is not None and self.connected:
                self._session.end(text)
                await self._save_and_write(self._session)

    # A connection

    async def run(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, first: Sequence[Message] = (),
        framer: Framer | None = None, turned_away: str = "",
    ) -> None:  # fmt: skip
        """Runs one connection to its end.

        Args:
            reader: of the connection.
            writer: of the connection; it is closed.
            first: a client's Logon, which was read to know whose it is, and what came with it.
            framer: what it was read with.
            turned_away: why the Logon is refused; empty if it is not.

        Raises:
            SessionEnded: the session ended.
            Disconnected: the connection did.
            Exception: whatever application and store raise.
        """
        self.connected, reason = True, "the process stops"
        try:
            async with self._lock:
                session = await self._loaded()
                self._writer = writer
                if framer is not None:
                    session.framer = framer
                self._renew(session)
            await self._converse(session, reader, first, turned_away)
        except BaseException as error:
            reason = str(error) or type(error).__name__
            raise
        finally:
            self.connected, self._writer, self._session = False, None, None
            writer.close()
            if self._told:
                self._told = False
                await self._application.logged_out(reason)

    async def _converse(
        self, session: Session, reader: asyncio.StreamReader, first: Sequence[Message], turned_away: str
    ) -> None:
        if session.rules.role == "initiator":
            await self._do(session, [], session.begin)
        else:
            session.connected()
        if turned_away:
            await self._do(session, [], lambda: session.turn_away(turned_away))
        if first:
            await self._do(session, first)
        while True:
            await self._tell(session)
            data = await self._read(session, reader)
            if session.state is State.ACTIVE and self._over():
                await self._do(session, [], lambda: session.end("the session ends by its schedule"))
            if data is None:
                await self._do(session, [], session.tick)
                continue
            if not data:
                middle = " in the middle of a message" if session.framer.within else ""
                raise Disconnected(f"the {session.rules.peer} closed the connection{middle}")
            messages = session.feed(data)
            if session.framer.garbled > self._garbled:
                self._garbled = session.framer.garbled
                self._note.warning("a FIX message is garbled: its length or checksum is wrong", count=self._garbled)
            if messages:
                await self._do(session, messages)
            if self.monotonic() >= session.due:
                await self._do(session, [], session.tick)

    async def _do(
        self, session: Session, messages: Sequence[Message], action: Callable[[], None] = lambda: None
    ) -> None:
        """An action and messages that came together, in one transaction."""
        async with self._lock:
            ended: SessionEnded | None = None
            async with self._committing() as begin:
                begin()
                async with self._store.transaction() as transaction:
                    unit = Unit(session, transaction, offline=True)
                    try:
                        action()
                        for message in messages:
                            for ready in session.receive(message):
                                await self._application.received(ready, unit)
                                unit.post()
                    except SessionEnded as error:
                        ended = error
                        for ready in error.ready:
                            await self._application.received(ready, unit)
                            unit.post()
                    items = await self._stored(session, transaction)
            if ended is None:
                await self._write(session, items)
                return
            with contextlib.suppress(OSError, Disconnected):
                await self._write(session, items)
            raise ended

    async def _read(self, session: Session, reader: asyncio.StreamReader) -> bytes | None:
        """What came; None when a timer is due first."""
        wait_s = session.due - self.monotonic()
        if self.schedule is not None and session.state is State.ACTIVE:
            wait_s = min(wait_s, (self._span[1] - self.now_ns()) / 1e9) if self._span else 0.0
        try:
            async with asyncio.timeout(max(wait_s, 0.0)):
                return await reader.read(READ_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            raise Disconnected(f"the connection broke: {error.strerror or error}") from error

    def _over(self) -> bool:
        return self.schedule is not None and self.schedule.session(self.now_ns()) != self._span

    def _renew(self, session: Session) -> None:
        """Numbers of a session of the schedule that is over begin at 1."""
        if self.schedule is None:
            return
        self._span = self.schedule.session(self.now_ns())
        if self._span is None:
            raise NotLoggedOn(f"{self.rules.name} is closed by its schedule")
        if session.numbers.begun_ns < self._span[0]:
            session.renew()

    async def _tell(self, session: Session) -> None:
        if not self._told and session.state is State.ACTIVE:
            self._told = True
            self.logons += 1
            self._note.info("FIX session stands", out=session.numbers.out, due=session.numbers.due)
            await self._application.logged_on()

    # The store

    async def _loaded(self) -> Session:
        if self._session is None:
            numbers = await self._store.load()
            clocks = {"monotonic": self.monotonic, "now_ns": self.now_ns}
            self._session = Session(self.rules, numbers, **clocks, **self._given)
            self._garbled = 0
        return self._session

    @contextlib.asynccontextmanager
    async def _committing(self) -> AsyncIterator[Callable[[], None]]:
        """A block that moves the session's numbers from `begin` on: if it fails, the session is no longer known."""
        begun = False

        def begin() -> None:
            nonlocal begun
            begun = True

        try:
            yield begin
        except BaseException:
            if begun:
                self._session = None
                if self._writer is not None:
                    self._writer.transport.abort()
            raise

    async def _stored(self, session: Session, transaction: Any) -> list[bytes | Recall]:
        changes, items = session.step()
        if changes is not None:
            if changes.reset:
                self._note.warning("FIX numbers begin at 1; what was sent before is no longer kept")
            await self._store.save(transaction, changes)
        return items

    async def _save_and_write(self, session: Session) -> None:
        async with self._committing() as begin:
            begin()
            async with self._store.transaction() as transaction:
                items = await self._stored(session, transaction)
        await self._write(session, items)

    async def _write(self, session: Session, items: list[bytes | Recall]) -> None:
        writer = self._writer
        if writer is None or not items:
            return
        for item in items:
            if isinstance(item, bytes):
                writer.write(item)
            else:
                await self._write_again(session, writer, item)
        await self._drain(writer)

    async def _write_again(self, session: Session, writer: asyncio.StreamWriter, recall: Recall) -> None:
        first = recall.first
        while first <= recall.last:
            sent = await self._store.sent(first, recall.last, RESEND_CHUNK)
            last = sent[-1].number if len(sent) == RESEND_CHUNK else recall.last
            writer.write(session.again(Recall(first, last), sent))
            await self._drain(writer)
            first = last + 1

    async def _drain(self, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(WRITE_S_MAX):
                await writer.drain()
        except TimeoutError as error:
            writer.transport.abort()
            raise Disconnected("the peer does not read what it is sent") from error
        except OSError as error:
            raise Disconnected(f"the connection broke: {error.strerror or error}") from error
