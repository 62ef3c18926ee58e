"""A venue that speaks FIX 4.4 market data on loopback. It shares nothing with the platform's own session layer.

    python -m tests.venues.fix_acceptor --port 9878 --rate 20

takes a logon, and sends quotes that move at random; it prints what to write into mesh/feeds.toml. Tests make one of
their own and have it misbehave.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import random
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import simplefix

Fields = Iterable[tuple[int, object]]
ADMINISTRATIVE = (b"0", b"1", b"2", b"3", b"4", b"5", b"A")
PRICES = {"EUR/USD": 1.1, "USD/JPY": 150.0, "GBP/USD": 1.3, "EUR/JPY": 165.0}


def stamp() -> str:
    """SendingTime of now."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%d-%H:%M:%S.%f}"[:-3]


def built(pairs: Fields) -> bytes:
    """A message with its length and checksum."""
    message = simplefix.FixMessage()
    for tag, value in pairs:
        message.append_pair(tag, value)
    return message.encode()


@dataclass
class Numbers:
    """What the venue keeps of a session over connections."""

    out: int = 1
    due: int = 1
    sent: dict[int, tuple[bytes, list[tuple[int, object]]]] = field(default_factory=dict)


class Peer:
    """One connection of an initiator.

    Attributes:
        received: every message that came, in order.
        violations: what the initiator did against the protocol.
        subscribed: symbols by the id of the request.
        silent: send nothing by itself any more, not even heartbeats.
    """

    def __init__(self, acceptor: Acceptor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.acceptor, self.reader, self.writer = acceptor, reader, writer
        self.received: list[simplefix.FixMessage] = []
        self.violations: list[str] = []
        self.subscribed: dict[str, tuple[str, ...]] = {}
        self.numbers = acceptor.numbers
        self.silent = False
        self.logged_on = asyncio.Event()
        self.closed = asyncio.Event()
        self.heartbeat_s = 30.0

    def count(self, kind: bytes) -> int:
        """How many messages of a type came."""
        return sum(message.get(35) == kind for message in self.received)

    # Out

    def raw(self, data: bytes) -> None:
        """Sends bytes as they are."""
        if not self.writer.is_closing():
            self.writer.write(data)

    def message(
        self, kind: str, body: Fields, *, number: int | None = None, duplicate: bool = False, names: tuple = ()
    ) -> bytes:
        """A message with the next number, or with one that is given, which then counts for nothing."""
        body = list(body)
        if number is None:
            number, self.numbers.out = self.numbers.out, self.numbers.out + 1
            self.numbers.sent[number] = (kind.encode(), body)
        sender, target = names or (self.acceptor.name, self.acceptor.client)
        header: list[tuple[int, object]] = [(8, "FIX.4.4"), (35, kind), (49, sender), (56, target), (34, number)]
        if duplicate:
            header += [(43, "Y"), (122, stamp())]
        return built([*header, (52, stamp()), *body])

    def send(self, kind: str, body: Fields = (), **how: object) -> None:
        """Sends a message."""
        self.raw(self.message(kind, body, **how))  # type: ignore[arg-type]

    def snapshot(self, symbol: str, request: str = "") -> None:
        """Sends a W."""
        bid, ask = self.acceptor.quotes[symbol]
        entries = [(269, 0), (270, bid), (271, 1_000_000), (269, 1), (270, ask), (271, 2_000_000)]
        self.send("W", [(262, request or "r"), (55, symbol), (268, 2), *entries])

    def update(self, symbol: str, bid: float, ask: float, *, more: Fields = ()) -> None:
        """Sends an X with both sides."""
        entries: list[tuple[int, object]] = [(262, "r"), (268, 2)]
        for side, price, size in ((0, bid, 1_000_000), (1, ask, 2_000_000)):
            now = stamp()
            entries += [(279, 1), (269, side), (55, symbol), (270, price), (271, size)]
            entries += [(272, now[:8]), (273, now[9:]), *more]
        self.send("X", entries)

    def drop(self) -> None:
        """Ends the connection without a word."""
        self.writer.transport.abort()

    # In

    async def serve(self) -> None:
        """Answers until the connection ends."""
        parser = simplefix.FixParser()
        beating = asyncio.create_task(self._beat())
        try:
            while data := await self.reader.read(65_536):
                parser.append_buffer(data)
                while (message := parser.get_message()) is not None:
                    self.received.append(message)
                    self._take(message)
                await self.acceptor.gate.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            beating.cancel()
            self.closed.set()
            self.writer.close()

    async def _beat(self) -> None:
        await self.logged_on.wait()
        while True:
            await asyncio.sleep(self.heartbeat_s)
            if not self.silent:
                self.send("0")

    def _take(self, message: simplefix.FixMessage) -> None:
        kind, number = message.get(35), int(message.get(34))
        if message.get(8) != b"FIX.4.4" or message.get(49) != self.acceptor.client.encode():
            self.violations.append(f"header of {message}")
        if kind == b"A" and message.get(141) == b"Y":
            self.numbers.out = self.numbers.due = 1
            self.numbers.sent.clear()
        if kind != b"4":
            if number != self.numbers.due and message.get(43) != b"Y":
                self.violations.append(f"number {number}, {self.numbers.due} was due: {message}")
            self.numbers.due = max(self.numbers.due, number + 1)
        if self.silent:
            return
        answer: Callable[[simplefix.FixMessage], None] | None = {
            b"A": self._logon,
            b"1": lambda m: self.send("0", [(112, m.get(112).decode())]),
            b"2": self._resend,
            b"5": self._logout,
            b"V": self._subscribe,
            b"x": self._securities,
        }.get(kind)
        if answer is not None:
            answer(message)

    def _logon(self, message: simplefix.FixMessage) -> None:
        acceptor = self.acceptor
        self.heartbeat_s = float(message.get(108))
        if acceptor.password and message.get(554) != acceptor.password.encode():
            self.send("5", [(58, "wrong password")])
            self.writer.close()
            return
        reset = [(141, "Y")] if message.get(141) == b"Y" else []
        self.send("A", [(98, 0), (108, int(self.heartbeat_s)), *reset])
        self.logged_on.set()

    def _logout(self, _message: simplefix.FixMessage) -> None:
        self.send("5")
        self.writer.close()

    def _resend(self, message: simplefix.FixMessage) -> None:
        first, last = int(message.get(7)), int(message.get(16)) or self.numbers.out - 1
        number = first
        while number <= last:
            kind, body = self.numbers.sent.get(number, (b"0", []))
            if kind not in ADMINISTRATIVE and not self.acceptor.fills_gaps:
                self.send(kind.decode(), body, number=number, duplicate=True)
                number += 1
                continue
            following = number + 1
            while following <= last and (
                self.acceptor.fills_gaps or self.numbers.sent.get(following, (b"0", []))[0] in ADMINISTRATIVE
            ):
                following += 1
            self.send("4", [(123, "Y"), (36, following)], number=number, duplicate=True)
            number = following

    def _subscribe(self, message: simplefix.FixMessage) -> None:
        request = message.get(262).decode()
        symbols = tuple(value.decode() for tag, value in message.pairs if tag == b"55")
        refused = [symbol for symbol in symbols if symbol not in self.acceptor.quotes]
        if refused:
            self.send("Y", [(262, request), (281, 0), (58, f"unknown symbol {refused[0]}")])
            return
        if message.get(263) == b"1":
            self.subscribed[request] = symbols
        for symbol in symbols:
            self.snapshot(symbol, request)

    def _securities(self, message: simplefix.FixMessage) -> None:
        body: list[tuple[int, object]] = [(320, message.get(320).decode()), (322, "1"), (560, 0)]
        body.append((146, len(self.acceptor.quotes)))
        self.send("y", body + [(55, symbol) for symbol in self.acceptor.quotes])


class Acceptor:
    """The venue.

    Attributes:
        peers: every connection that there was, the newest last.
        quotes: bid and ask by symbol.
        fills_gaps: answer a ResendRequest with a gap fill over market data too, as most venues do.
        gate: while it is not set nothing is read.
    """

    def __init__(
        self,
        name: str = "VENUE",
        client: str = "HOUSE",
        *,
        password: str = "",
        prices: dict[str, float] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name, self.client, self.password = name, client, password
        self.quotes = {symbol: (price, price * 1.0001) for symbol, price in (prices or PRICES).items()}
        self.peers: list[Peer] = []
        self.numbers = Numbers()
        self.fills_gaps = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._tls = tls
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> Acceptor:
        """Listens on loopback."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port, ssl=self._tls)
        return self

    async def stop(self) -> None:
        """Stops listening, and ends every connection without a word."""
        assert self._server is not None
        self._server.close()
        for peer in self.peers:
            peer.drop()
        for peer in self.peers:
            await peer.closed.wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(self, reader, writer)
        self.peers.append(peer)
        with contextlib.suppress(ssl.SSLError):
            await peer.serve()

    @property
    def alive(self) -> list[Peer]:
        """The connections that are logged on now."""
        return [peer for peer in self.peers if peer.logged_on.is_set() and not peer.closed.is_set()]

    def move(self, symbol: str, bid: float, ask: float) -> None:
        """Has a price move, and tells everybody who subscribed to it."""
        self.quotes[symbol] = (bid, ask)
        for peer in self.alive:
            if any(symbol in symbols for symbols in peer.subscribed.values()):
                peer.update(symbol, bid, ask)


async def main() -> None:
    """Serves until it is interrupted."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=9878)
    arguments.add_argument("--rate", type=float, default=20.0, help="quotes a second")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    acceptor = await Acceptor().start(given.port)
    names = ", ".join(f'"{symbol}"' for symbol in acceptor.quotes)
    print(f'[feeds.trial]\nkind = "fix"\nhost = "127.0.0.1"\nport = {given.port}', flush=True)
    print(f'sender_comp_id = "HOUSE"\ntarget_comp_id = "VENUE"\ninstruments = [{names}]', flush=True)
    chance = random.Random(given.seed)
    while True:
        symbol = chance.choice(list(acceptor.quotes))
        bid, ask = acceptor.quotes[symbol]
        step = bid * chance.gauss(0, 2e-5)
        acceptor.move(symbol, round(bid + step, 5), round(ask + step, 5))
        await asyncio.sleep(1 / given.rate)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
