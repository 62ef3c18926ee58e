"""Runs scripts of what two sides of a session say to each other, against a session of either role.

    logon [fields]      both sides log on; whoever begins is the role's
    > D 11=a 34=7       the peer sends a message; number, CompIDs and times are right unless they are given
    >> 8=FIX.4.4|…      the peer sends bytes; | stands for the delimiter
    < 3 45=2 373=1      the session sends this next, with these fields among others; "!58" is not among them
    = D 11=a            the application is given this next
    ! D 11=b            the application sends
    ~ 6                 seconds pass
    reset               the connection ends on the way; the next line is another one's
    end                 our side begins to log out
    closed              the session has ended

A value of "~" leaves a field out; times (52, 122) are seconds from now. `run` fails where script and session differ,
and where something was said that the script does not have.
"""

from __future__ import annotations

from crossrate.fix.message import Framer, Message, framed, packed, utc_text
from crossrate.fix.orders import NewOrderSingle, OrderCancelRequest
from crossrate.fix.quotes import SecurityList
from crossrate.fix.reader import Decoder
from crossrate.fix.rules import Numbers, Rules, State
from crossrate.fix.session import Session, SessionEnded

START_NS = 1_767_366_245_000_000_000
BODIES = {
    "D": "11=ID 55=EUR/USD 54=1 60=20260102-15:04:05.000 38=1000000 40=1",
    "F": "41=ID 11=ID2 55=EUR/USD 54=1 60=20260102-15:04:05.000",
    "A": "98=0 108=30",
    "8": "37=id 17=id 150=0 39=0 55=EUR/USD 54=1 151=100 14=0 6=0",
}


def fields(text: str) -> list[tuple[str, str]]:
    """Tags and values of words such as "11=a"."""
    return [(tag, value) for tag, _, value in (word.partition("=") for word in text.split())]


class Bench:
    """A session, and the peer's side of it."""

    def __init__(self, role: str, **rules: object) -> None:
        given = {"heartbeat_s": 30, "reset": "never", "role": role} | rules
        self.rules = Rules("US", "THEM", **given)
        self.numbers = Numbers()
        self.now = 1000.0
        self.connect()

    def connect(self) -> None:
        """A connection, and a session of its own that goes on with the numbers."""
        self.session = Session(
            self.rules,
            self.numbers,
            monotonic=lambda: self.now,
            now_ns=self.now_ns,
            decode=Decoder([NewOrderSingle, OrderCancelRequest, SecurityList], strict=True),
        )
        self.said: list[Message] = []
        self.given: list[Message] = []
        self.reader, self.ended = Framer(), ""
        self.out = self.numbers.due

    def now_ns(self) -> int:
        """The clock of both sides."""
        return START_NS + round(self.now * 1e9)

    def written(self, kind: str, text: str) -> bytes:
        """A message of the peer's."""
        told = fields(text)
        overrides = dict(told)
        if "34" not in overrides:
            overrides["34"], self.out = str(self.out), self.out + 1
        head = {"49": "THEM", "56": "US", "34": "", "52": "0"}
        if overrides.get("43") == "Y":
            head |= {"43": "Y", "122": "0"}
        head |= {
            tag: value for tag, value in overrides.items() if tag in head or tag in ("43", "97", "115", "128", "122")
        }
        pairs = [(tag, value) for tag, value in head.items() if value != "~"]
        for index, (tag, value) in enumerate(pairs):
            if tag in ("52", "122") and "-" not in value[1:] and value:
                pairs[index] = (tag, utc_text(self.now_ns() + round(float(value) * 1e9)))
        body = fields(BODIES.get(kind, "")) if "raw" not in overrides else []
        names = [tag for tag, _ in body]
        body = [(tag, overrides.get(tag, value)) for tag, value in body]
        body += [pair for pair in told if pair[0] not in head and pair[0] not in names and pair[0] != "raw"]
        whole = [("35", kind), *pairs, *((tag, value) for tag, value in body if value != "~")]
        begin = overrides.get("8", "FIX.4.4").encode()
        whole = [(tag, value) for tag, value in whole if tag != "8"]
        return framed(b"".join(f"{tag}={value}\x01".encode() for tag, value in whole), begin)

    def hear(self, data: bytes) -> None:
        """Has the session take bytes."""
        try:
            for message in self.session.feed(data):
                self.given += self.session.receive(message)
        except SessionEnded as ended:
            self.given += ended.ready
            self.ended = str(ended)
        self.listen()

    def listen(self) -> None:
        """Takes what the session says."""
        self.said += self.reader.feed(self.session.take())

    def tick(self, seconds: float) -> None:
        """Time passes, and every timer that is due runs, at its time."""
        until = self.now + seconds
        while not self.ended and self.session.due <= until:
            self.now = max(self.now, self.session.due)
            try:
                self.session.tick()
            except SessionEnded as ended:
                self.ended = str(ended)
            self.listen()
        self.now = until

    def logon(self, text: str) -> None:
        """Both sides log on."""
        if self.rules.role == "acceptor":
            self.hear(self.written("A", text))
        else:
            self.session.begin()
            self.listen()
            self.hear(self.written("A", text))
        assert self.said.pop(0).kind == b"A"
        assert self.session.state is State.ACTIVE


def check(found: list[Message], kind: str, text: str, line: str) -> None:
    """The next of these messages is of a kind and has these fields."""
    assert found, f"{line}: nothing came"
    message = found.pop(0)
    assert message.kind.decode() == kind, f"{line}: {message}"
    for word in text.split():
        if word.startswith("!"):
            assert not message.get(int(word[1:])), f"{line}: {message}"
            continue
        tag, _, value = word.partition("=")
        assert message.text(int(tag)).replace(" ", "_") == value, f"{line}: {message}"


def run(script: str, role: str, **rules: object) -> Bench:
    """Plays a script against a session of a role."""
    bench = Bench(role, **rules)
    for line in filter(None, (raw.split("#")[0].strip() for raw in script.splitlines())):
        command, _, rest = line.partition(" ")
        kind, _, text = rest.strip().partition(" ")
        if command == "logon":
            bench.logon(rest)
        elif command == ">":
            bench.hear(bench.written(kind, text))
        elif command == ">>":
            bench.hear(rest.replace("|", "\x01").encode())
        elif command == "<":
            check(bench.said, kind, text, line)
        elif command == "=":
            check(bench.given, kind, text, line)
        elif command == "!":
            told = dict(fields(BODIES.get(kind, ""))) | dict(fields(text))
            bench.session.send(kind.encode(), packed((int(tag), value) for tag, value in told.items()))
            bench.listen()
        elif command == "~":
            bench.tick(float(rest))
        elif command == "begin":
            bench.session.begin()
            bench.listen()
        elif command == "end":
            bench.session.end()
            bench.listen()
        elif command == "reset":
            assert not bench.said, line
            bench.connect()
        else:
            assert command == "closed", line
            assert bench.ended, f"{line}: the session goes on"
            continue
        assert not bench.ended or command in (">", ">>", "~", "<", "="), f"{line}: the session has ended: {bench.ended}"
    assert not bench.said, bench.said
    assert not bench.given, bench.given
    return bench
