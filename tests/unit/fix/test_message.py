"""FIX messages: what is framed, and what is left out."""

import random

import pytest
import simplefix
from hypothesis import given
from hypothesis import strategies as st

from crossrate.fix.message import Framer, Times, encoded, utc_text

HEADER = [(35, "X"), (49, "V"), (56, "C"), (34, 7), (52, "20260102-15:04:05.678")]
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


def whole(text: str = "hello") -> bytes:
    return encoded(HEADER, [(58, text)])


@given(st.lists(st.tuples(st.integers(1, 900), PRINTABLE), max_size=30), st.randoms(use_true_random=False))
def test_messages_come_out_as_they_went_in(fields, chance):
    """However the bytes are cut, every field of every message comes, as simplefix reads it too."""
    # Length and checksum, message type, and the fields that announce data mean something of their own.
    own = {8, 9, 10, 35, 49, 56, 34, 52, 90, 93, 95, 212, 348, 350, 352, 354, 356, 358, 360, 362, 364, 445, 618, 621}
    data = {91, 89, 96, 213, 349, 351, 353, 355, 357, 359, 361, 363, 365, 446, 619, 622}
    body = [(tag, value) for tag, value in fields if tag not in own | data]
    message = encoded(HEADER, body)
    framer, got = Framer(), []
    rest = message * 3
    while rest:
        cut = chance.randint(1, len(rest))
        got += framer.feed(rest[:cut])
        rest = rest[cut:]
    assert len(got) == 3
    assert (framer.garbled, framer.within) == (0, False)
    pairs = [(pair[0], pair[2]) for pair in got[2].pairs]
    assert pairs[5:] == [(b"%d" % tag, value.encode()) for tag, value in body]
    parser = simplefix.FixParser()
    parser.append_buffer(message)
    assert [p for p in parser.get_message().pairs if p[0] not in (b"8", b"9", b"10")] == pairs


def test_a_data_field_may_hold_the_delimiter():
    """What stands in RawData is not taken for fields."""
    raw = b"a\x0134=99\x01b"
    message = Framer().feed(encoded(HEADER, [(95, len(raw)), (96, raw), (58, "end")]))[0]
    assert message.get(96) == raw
    assert (message.number(34), message.text(58)) == (7, "end")


@pytest.mark.parametrize(
    "spoilt",
    [
        whole()[:-4] + b"999\x01",
        whole().replace(b"9=54", b"9=53"),
        whole().replace(b"9=54", b"9=55"),
        whole().replace(b"\x019=", b"\x019=9"),
        whole().replace(b"8=FIX.4.4\x019=", b"8=FIX.4.4\x0199="),
        b"8=FIX.4.4\x019=9999999\x01" + b"x" * 50 + b"\x0110=000\x01",
        b"garbage\x01",
        b"8=FI\x01",
    ],
)
def test_a_garbled_message_is_left_out_and_the_next_one_is_not(spoilt):
    """Wrong checksums, lengths and heads are counted; what follows is read."""
    framer = Framer()
    got = framer.feed(spoilt + whole("next") + whole("last"))
    assert [m.text(58) for m in got] == ["next", "last"]
    assert framer.garbled >= 1


def test_a_message_in_a_data_field_is_none():
    """Wherever the bytes are cut, what stands in RawData is not read as a message of its own."""
    raw = b"x\x0110=000\x01" + whole("within") + b"y"
    message = encoded(HEADER, [(95, len(raw)), (96, raw), (58, "around")])
    for cut in range(1, len(message)):
        framer = Framer()
        got = framer.feed(message[:cut]) + framer.feed(message[cut:])
        assert [m.text(58) for m in got] == ["around"]
        assert framer.garbled == 0


def test_a_data_field_of_a_wrong_length_is_garbled():
    """Its length is no number, or leads past the message: the message is left out, the next one is not."""
    for length in ("x", 5000):
        framer = Framer()
        got = framer.feed(encoded(HEADER, [(95, length), (96, "abc")]) + whole("next"))
        assert [m.text(58) for m in got] == ["next"]
        assert framer.garbled == 1


def test_bytes_of_nothing_never_make_a_message():
    """Random bytes are not read as anything, raise nothing, and are not kept without bound."""
    chance = random.Random(5)
    framer = Framer()
    for _ in range(300):
        noise = bytes(chance.choice(b"8=FIX.4\x019=10135A\x00\xff") for _ in range(chance.randint(1, 200)))
        assert framer.feed(noise) == []
    good = [m.text(58) for m in framer.feed(b"\x01" + whole() + whole("x"))]
    assert good[-1:] == ["x"]


def test_times_are_read_to_the_nanosecond():
    """Any number of digits behind the second up to nine; anything else is no time."""
    times = Times()
    assert times.nanoseconds(b"20260102-15:04:05") == 1_767_366_245_000_000_000
    assert times.nanoseconds(b"20260102-15:04:05.6") == 1_767_366_245_600_000_000
    assert times.nanoseconds(b"20260102-15:04:05.123456789") == 1_767_366_245_123_456_789
    assert utc_text(1_767_366_245_678_900_000) == "20260102-15:04:05.678"
    for wrong in (
        b"",
        b"20260102",
        b"20261302-15:04:05",
        b"20260102-15:04:61",
        b"20260102-15:04:05.x",
        b"20260102-15:04-05",
    ):
        with pytest.raises(ValueError, match="UTCTimestamp"):
            times.nanoseconds(wrong)
