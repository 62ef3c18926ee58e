"""Messages out of DATA frames, wherever these are cut."""

from __future__ import annotations

import random

import grpc
import pytest

from crossrate.rpc.lean import messages
from crossrate.rpc.lean.frames import Code, Malformed
from crossrate.rpc.lean.stream import Stream

MESSAGES = [b"", b"a", b"", b"bcd" * 20, b"", bytes(range(200)), b"end"]
WIRE = b"".join(b"\x00" + len(m).to_bytes(4, "big") + m for m in MESSAGES)
LIMIT = 1000
WINDOW_BYTES = 64 << 10


class Connection:
    """What a stream uses of its connection."""

    def __init__(self) -> None:
        self.stream_window = WINDOW_BYTES
        self.room = 0
        self.peer_stream_window = 65_535
        self.sent: list[bytes] = []
        self.forgotten: list[Stream] = []

    def send(self, *buffers: bytes) -> None:
        """Keeps what is sent."""
        self.sent += buffers

    def make_room(self, stream: Stream) -> None:
        """Lets every message in."""
        self.room += stream.room
        stream.let_in()

    def give_room_back(self, stream: Stream) -> None:
        """Counts the room that is free again."""
        self.room -= stream.room

    def forget(self, stream: Stream) -> None:
        """Keeps what is over."""
        self.forgotten.append(stream)


class Taker(Stream):
    """A stream that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(Connection(), 1, LIMIT)
        self.taken: list[bytes] = []
        self.ended = 0
        self.refused: messages.Refused | None = None

    def deliver(self, message: bytes) -> None:
        """A message."""
        self.taken.append(message)

    def half_closed(self) -> None:
        """The end."""
        self.ended += 1

    def refuse(self, refused: messages.Refused) -> None:
        """An error."""
        self.refused = refused

    def feed(self, *chunks: bytes, end: bool = True) -> Taker:
        """Receives DATA frames, the last of which may end the stream."""
        for number, chunk in enumerate(chunks, start=1):
            if self.refused is not None:
                break
            # Somewhere inside of a larger read, as on a connection.
            data = b"before" + chunk + b"after"
            self.receive(data, 6, 6 + len(chunk), len(chunk), end and number == len(chunks))
        return self


class Keeper(Taker):
    """A stream whose messages wait for a reader."""

    def deliver(self, message: bytes) -> None:
        """A message."""
        self.enqueue(message)


def test_messages_come_out_wherever_two_frames_meet() -> None:
    """Cut at any byte, and at any two, the same messages come out, and nothing is left."""
    for first in range(len(WIRE) + 1):
        for second in range(first, len(WIRE) + 1, 7):
            taker = Taker().feed(WIRE[:first], WIRE[first:second], WIRE[second:])
            assert (taker.taken, taker.ended, taker.connection.room) == (MESSAGES, 1, 0), (first, second)


def test_messages_come_out_of_single_bytes_and_of_random_frames() -> None:
    """A sender may put one byte in each frame, or cut as it likes."""
    assert Taker().feed(*(WIRE[i : i + 1] for i in range(len(WIRE)))).taken == MESSAGES
    chance = random.Random(5)
    for _ in range(300):
        cuts = sorted(chance.choices(range(len(WIRE) + 1), k=chance.randrange(1, 12)))
        taker = Taker().feed(*(WIRE[a:b] for a, b in zip([0, *cuts], [*cuts, len(WIRE)], strict=True)))
        assert (taker.taken, taker.ended, taker.connection.room) == (MESSAGES, 1, 0)


@pytest.mark.parametrize("end", [e for e in range(1, len(WIRE)) if e not in (5, 11, 16, 81, 86, 291)])
def test_a_stream_that_ends_inside_a_message(end: int) -> None:
    """The whole messages are delivered, then the call is refused, and what was gathered is forgotten."""
    taker = Taker().feed(WIRE[:end])
    assert taker.refused is not None
    assert taker.refused.code is grpc.StatusCode.INTERNAL
    assert (taker.taken, taker.ended) == (MESSAGES[: len(taker.taken)], 0)
    assert taker.connection.room == 0


@pytest.mark.parametrize("cut", range(6))
def test_a_message_over_the_limit_is_refused_by_its_prefix(cut: int) -> None:
    """The prefix alone is enough, wherever it is cut; a message of exactly the limit is taken."""
    prefix = b"\x00" + (LIMIT + 1).to_bytes(4, "big") + b"x"
    taker = Taker().feed(prefix[:cut], prefix[cut:], end=False)
    assert taker.refused is not None
    assert taker.refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert taker.connection.room == 0
    assert Taker().feed(b"\x00" + LIMIT.to_bytes(4, "big"), bytes(LIMIT)).taken == [bytes(LIMIT)]


@pytest.mark.parametrize("flag", [2, 3, 0x80, 0xFF])
def test_an_unknown_flag_of_a_message_is_refused(flag: int) -> None:
    """Compressed-Flag is 0 or 1, in a message of one frame and of several."""
    raw = bytes((flag, 0, 0, 0, 1)) + b"x"
    for cut in (0, 3, 5):
        taker = Taker().feed(raw[:cut], raw[cut:])
        assert taker.refused is not None
        assert taker.refused.code is grpc.StatusCode.INTERNAL


def test_a_compressed_message_comes_out_of_any_frames() -> None:
    """It is gathered as it came, then unpacked."""
    packed = messages.compress(b"y" * 900, "gzip")
    raw = b"\x01" + len(packed).to_bytes(4, "big") + packed
    for cut in range(len(raw)):
        taker = Taker()
        taker.encoding_in = "gzip"
        assert taker.feed(raw[:cut], raw[cut:]).taken == [b"y" * 900]


def test_a_message_larger_than_the_window_is_let_in_as_a_whole() -> None:
    """Once its length is known, the peer may send exactly the rest of it, and its room is given back at its end."""
    size = 3 * WINDOW_BYTES
    taker = Taker()
    taker.bytes_max = size
    taker.receive(b"\x00" + size.to_bytes(4, "big") + bytes(995), 0, 1000, 1000, False)
    assert taker.connection.room == size
    assert taker.window_in == size - 995
    taker.receive(bytes(size - 995), 0, size - 995, size - 995, False)
    assert taker.taken == [bytes(size)]
    assert taker.connection.room == 0
    assert taker.window_in == WINDOW_BYTES


def test_more_than_the_window_is_an_error_of_the_stream() -> None:
    """Padding counts, and one byte more than was granted is FLOW_CONTROL_ERROR."""
    taker = Taker()
    taker.receive(b"", 0, 0, WINDOW_BYTES // 2 - 1, False)
    taker.receive(b"", 0, 0, WINDOW_BYTES // 2 + 1, False)
    # The window was opened again by what was used up, so as much may follow, and no more.
    assert taker.window_in == WINDOW_BYTES
    with pytest.raises(Malformed) as caught:
        taker.receive(b"", 0, 0, WINDOW_BYTES + 1, False)
    assert caught.value.code is Code.FLOW_CONTROL_ERROR


def test_nothing_follows_an_end() -> None:
    """DATA after the end is STREAM_CLOSED."""
    taker = Taker().feed(WIRE)
    with pytest.raises(Malformed) as caught:
        taker.feed(b"")
    assert caught.value.code is Code.STREAM_CLOSED


def test_a_window_opens_only_while_little_waits_to_be_read() -> None:
    """Messages that nobody reads keep the window shut; reading them opens it by all that was used."""
    taker, chunk = Keeper(), b"\x00\x00\x00\x03\xe8" + bytes(1000)
    while taker.window_in >= len(chunk):
        taker.feed(chunk, end=False)
    assert taker.connection.sent == []
    kept = len(taker.queue)
    assert kept == WINDOW_BYTES // len(chunk)
    read = 0
    while not taker.connection.sent:
        assert len(taker.dequeue()) == 1000
        read += 1
    assert read < kept
    assert taker.window_in == WINDOW_BYTES
