"""The language of QuickFIX's acceptance tests (test/definitions there), and when what came is what they expect.

    # a comment
    iCONNECT                the client connects; i2,CONNECT is the second client
    I8=FIX.4.4␁35=A␁…       it sends this; length and checksum are filled in where the line has none, and so is <TIME>,
                            <TIME-121> and <TIME+10>: UTC now and some seconds from now
    E8=FIX.4.4␁…            the server sends this next, to the first client; E2,8=… to the second
    eDISCONNECT             the server has sent nothing more, and closes
    iDISCONNECT             the client closes

A message that came has to have the expected fields with their values, and no others, but for what FIX 4.4 leaves to its
sender: see `difference`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

SOH = b"\x01"
TRAILER_BYTES = 7
_LINE = re.compile(rb"(?P<who>[iIeE])(?:(?P<client>[0-9]),)?(?P<what>.*)", re.DOTALL)
_MOMENT = re.compile(rb"<TIME(?P<off>[+-][0-9]+)?>")
_STAMP = re.compile(rb"[0-9]{8}-[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{3})?")
_HEAD = re.compile(rb"8=[^\x01]+\x019=([0-9]+)\x0135=")
_TIMES = (b"42", b"52", b"60", b"122")
_FRAME = (b"9", b"10")
REJECT, TEST_REQUEST = b"3", b"1"

Pair = tuple[bytes, bytes]


class NotTheLanguage(ValueError):
    """A line is none that a script may have; the message names file and line."""


class NotFix(ValueError):
    """Bytes that came are no message of FIX 4.4: its first three fields, its length or its checksum are wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a script.

    Attributes:
        line: its number, from 1.
        who: "i" what the client does, "I" what it sends, "e" what the server does, "E" what it sends.
        client: which client, 1 to 9.
        what: "CONNECT" or "DISCONNECT", or a message as it stands in the script.
    """

    line: int
    who: str
    client: int
    what: bytes


def parse(text: bytes, name: str) -> list[Step]:
    """The steps of a script.

    Raises:
        NotTheLanguage: see there.
    """
    steps = []
    for number, raw in enumerate(text.split(b"\n"), 1):
        line = raw.rstrip(b"\r")
        if not line.strip() or line.startswith(b"#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise NotTheLanguage(f"{name}:{number}: begins with none of i, I, e, E")
        who, what = found["who"].decode(), found["what"]
        acts = who in "ie"
        if acts and (what not in (b"CONNECT", b"DISCONNECT") or (who, what) == ("e", b"CONNECT")):
            raise NotTheLanguage(f"{name}:{number}: {line.decode('latin-1')} is none of what a client or a server does")
        if not acts and b"=" not in what:
            raise NotTheLanguage(f"{name}:{number}: is no message")
        steps.append(Step(number, who, int(found["client"] or 1), what))
    return steps


def written(what: bytes, now: Callable[[int], bytes]) -> bytes:
    """The bytes of a message that a client sends.

    Args:
        what: the message as it stands in the script.
        now: the UTCTimestamp so many seconds from now.
    """
    whole = _MOMENT.sub(lambda found: now(int(found["off"] or 0)), what)
    if not whole.startswith(b"8="):
        return whole
    head, _, rest = whole.partition(SOH)
    body, found, checksum = rest.rpartition(SOH + b"10=")
    body, checksum = (body + SOH, checksum) if found else (rest, b"")
    if not body.startswith(b"9=") and b"\x019=" not in body:
        body = b"9=%d\x01%b" % (len(body), body)
    made = head + SOH + body
    return made + b"10=" + (checksum or b"%03d\x01" % (sum(made) & 255))


def fields(message: bytes) -> list[Pair]:
    """Tags and values of a message, in order."""
    return [(tag, value) for tag, _, value in (part.partition(b"=") for part in message.rstrip(SOH).split(SOH))]


def taken(buffer: bytes) -> tuple[bytes, bytes] | None:
    """The first message of what came, and what follows it; None while it is not whole.

    Raises:
        NotFix: see there.
    """
    if buffer.count(SOH) < 3:
        return None
    head = _HEAD.match(buffer)
    if head is None:
        raise NotFix(f"BeginString, BodyLength and MsgType do not come first: {shown(buffer)}")
    end = head.end() - len(b"35=") + int(head[1])
    if len(buffer) < end + TRAILER_BYTES:
        return None
    if buffer[end : end + TRAILER_BYTES] != b"10=%03d\x01" % (sum(buffer[:end]) & 255):
        raise NotFix(f"length or checksum is wrong: {shown(buffer)}")
    return buffer[: end + TRAILER_BYTES], buffer[end + TRAILER_BYTES :]


def difference(expected: bytes, came: bytes) -> str:
    """What is wrong with a message that came; empty if it is what was expected.

    FIX 4.4 leaves to the sender, and so not compared are: the order of fields behind the first three; times, which have
    to be times; and BodyLength and CheckSum, which `taken` holds to the bytes. Text (58) is free: it has to have the
    expected words in it, may say more, and may be there where none is expected. A Reject may name the tag (371)
    where the script's does not. TestReqID (112) of a TestRequest is its sender's choice.
    """
    wanted, found = ([pair for pair in fields(each) if pair[0] not in _FRAME] for each in (expected, came))
    kind = dict(found).get(b"35", b"")
    tags = {tag for tag, _ in wanted}
    loose = {b"58", *_TIMES} | ({b"112"} if kind == TEST_REQUEST else set())
    missing, more = list(wanted), []
    for tag, value in found:
        at = next(
            (at for at, pair in enumerate(missing) if pair[0] == tag and (tag in loose or pair[1] == value)), None
        )
        if at is not None:
            words = missing.pop(at)[1]
            if tag == b"58" and words not in value:
                return f"58 should say {words.decode('latin-1')!r}"
        elif tag in tags or not (tag == b"58" or (tag == b"371" and kind == REJECT)):
            more.append((tag, value))
        if tag in _TIMES and not _STAMP.fullmatch(value):
            return f"{tag.decode()} is no time"
    said = [
        f"{what} {shown(b'='.join(pair))}" for what, pairs in (("without", missing), ("with", more)) for pair in pairs
    ]
    return ", ".join(said)


def shown(message: bytes) -> str:
    """Bytes for people."""
    return message.replace(SOH, b"|").decode("latin-1")
