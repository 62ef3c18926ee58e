"""Lines that are all alike, read by a template."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossrate.kernel import ArgumentError, ShapeError, lines
from crossrate.kernel.faults import Reason

ordinary = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LINE = b"EUR/USD,20240506 07:08:09.123,1.39147,139148.5\r\n"
MINUTE = (8, 22)
GROUPS = ((23, 29), (30, 37), (38, 46))
DIVISORS = (1e5, 10.0)


def bytes_of(text: bytes) -> np.ndarray:
    """A text as the kernel takes it."""
    return np.frombuffer(text, np.uint8)


def asked(line: bytes = LINE, groups=GROUPS, divisors=DIVISORS, key=MINUTE) -> tuple:
    """A line as a template, whose digits but for those of the first cell may be others, and what is read of it."""
    expected = bytes_of(line)
    digit = ((expected >= 48) & (expected <= 57)).astype(np.uint8)
    begin, end = (np.array([group[side] for group in groups], np.int64) for side in (0, 1))
    return expected, digit, begin, end, np.array(divisors, np.float64), key


def written(count: int, seed: int = 1) -> list[bytes]:
    """Lines that fit: the minute seldom changes."""
    rng = random.Random(seed)
    digits = [place for begin, end in GROUPS for place in range(begin, end) if LINE[place : place + 1].isdigit()]
    made, now = [], bytearray(LINE)
    for _ in range(count):
        for place in digits:
            now[place] = rng.randrange(48, 58)
        if rng.random() < 0.05:
            now[rng.randrange(8, 16)] = rng.randrange(48, 58)
        made.append(bytes(now))
    return made


def plainly(texts: list[bytes], key: tuple[int, int] = MINUTE) -> tuple[list, list, list]:
    """Integers, quotients and changes as the language reads them."""
    parts = [text[slice(*key)] for text in texts]
    change = [place for place in range(len(parts)) if not place or parts[place] != parts[place - 1]]
    whole = [int(text[23:29].replace(b".", b"")) for text in texts]
    return whole, [[float(text[30:37]), float(text[38:46])] for text in texts], change if key[0] < key[1] else []


@ordinary
@given(st.integers(0, 200), st.integers(0, 2**32 - 1), st.sampled_from([MINUTE, (0, 0), (8, 13), (0, 48), (41, 48)]))
def test_lines_are_read_as_the_language_reads_them(build: str, count, seed, key) -> None:
    """Integers and changes exactly, quotients as the double that is nearest to what is written."""
    texts = written(count, seed)
    found = lines.read(bytes_of(b"".join(texts)), *asked(key=key))
    whole, quotient, change = plainly(texts, key)
    assert found.count == count
    assert found.whole.tolist() == [whole]
    assert found.quotient.T.tolist() == quotient
    assert found.change.tolist() == change


@ordinary
@given(st.integers(0, 99 * len(LINE) - 1), st.integers(0, 255))
def test_a_changed_byte_ends_what_is_read(build: str, place, byte) -> None:
    """The lines before the first that does not fit are read, and no other; a digit may be any digit."""
    data = bytearray(b"".join(written(99)))
    before = data[place]
    data[place] = byte
    line, column = divmod(place, len(LINE))
    either = LINE[column : column + 1].isdigit() and 48 <= byte <= 57
    found = lines.read(bytes_of(bytes(data)), *asked())
    expected = 99 if either or byte == before else line
    texts = [bytes(data[at * len(LINE) : (at + 1) * len(LINE)]) for at in range(expected)]
    whole, quotient, change = plainly(texts)
    assert found.count == expected
    assert found.whole.tolist() == [whole]
    assert found.quotient.T.tolist() == quotient
    assert found.change.tolist() == change


def test_a_line_that_fits_no_more_is_found_wherever_it_is(build: str) -> None:
    """In the first, the last and any other line, whichever bit of whichever byte differs."""
    text = b"".join(written(67))
    for place in range(0, len(text), 7):
        for bit in (1, 0x10, 0x80):
            data = bytearray(text)
            data[place] ^= bit
            column = place % len(LINE)
            fits = LINE[column : column + 1].isdigit() and 48 <= data[place] <= 57
            assert lines.read(bytes_of(bytes(data)), *asked()).count == (67 if fits else place // len(LINE))


def test_groups_of_any_length_and_with_a_point_anywhere_are_read(build: str) -> None:
    """From one to sixteen characters at any place of a line, as integers and as quotients."""
    rng = random.Random(3)
    for size in range(1, 17):
        for point in (None, *range(size)):
            digits = size - (point is not None)
            if not 1 <= digits <= lines.DIGITS_MAX:
                continue
            for before in (0, 1, 9):
                texts, values = [], []
                for _ in range(35):
                    value = "".join(rng.choices("0123456789", k=digits))
                    shown = value if point is None else f"{value[:point]}.{value[point:]}"
                    texts.append(f"{'x' * before}{shown};".encode() + b"y" * max(7 - before, 0) + b"\n")
                    values.append(value)
                decimals = 0 if point is None else digits - point
                group = (before, before + size)
                wanted = asked(texts[0], (group, group), (10.0**decimals,), (0, 0))
                found = lines.read(bytes_of(b"".join(texts)), *wanted)
                assert found.whole.tolist() == [[int(value) for value in values]], (size, point, before)
                assert found.quotient.tolist() == [[int(value) / 10**decimals for value in values]], (size, point)


def test_no_lines_and_no_groups_are_allowed(build: str) -> None:
    """Nothing in, nothing out; without groups it says how many lines fit."""
    found = lines.read(np.empty(0, np.uint8), *asked())
    assert (found.count, found.whole.shape, found.quotient.shape, found.change.tolist()) == (0, (1, 0), (2, 0), [])
    found = lines.read(bytes_of(LINE * 40), *asked(groups=(), divisors=(), key=(0, 0)))
    assert (found.count, found.whole.shape, found.quotient.shape) == (40, (0, 40), (0, 40))


def test_the_widest_and_the_narrowest_line_are_read(build: str) -> None:
    """Of 8 and of 512 bytes."""
    for width in (lines.WIDTH_MIN, lines.WIDTH_MAX):
        line = b"7" * (width - 1) + b"\n"
        found = lines.read(
            bytes_of(line * 70), *asked(line, ((0, 7), (width - 8, width - 1)), (10.0,), (width - 5, width))
        )
        assert found.count == 70
        assert set(found.whole[0].tolist()) == {7777777}
        assert set(found.quotient[0].tolist()) == {777777.7}
        assert found.change.tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "argument", "index", "reason"),
    [
        ({"line": b"1234567"}, "width", None, Reason.OUT_OF_RANGE),
        ({"line": b"1" * 513}, "width", None, Reason.OUT_OF_RANGE),
        ({"groups": ((23, 29),) * 17}, "groups", None, Reason.OUT_OF_RANGE),
        ({"groups": ((23, 29), (-1, 5)), "divisors": ()}, "begin", 1, Reason.OUT_OF_RANGE),
        ({"groups": ((48, 49),), "divisors": ()}, "begin", 0, Reason.OUT_OF_RANGE),
        ({"groups": ((23, 29), (30, 30)), "divisors": ()}, "end", 1, Reason.OUT_OF_RANGE),
        ({"groups": ((40, 49),), "divisors": ()}, "end", 0, Reason.OUT_OF_RANGE),
        ({"groups": ((23, 2**62),), "divisors": ()}, "end", 0, Reason.OUT_OF_RANGE),
        ({"line": b"1" * 17 + b"\n", "groups": ((0, 17),), "divisors": ()}, "end", 0, Reason.OUT_OF_RANGE),
        ({"line": b"1" * 17 + b"\n", "groups": ((0, 16),), "divisors": ()}, "end", 0, Reason.OUT_OF_RANGE),
        ({"groups": ((17, 29),), "divisors": ()}, "begin", 0, Reason.INCONSISTENT),
        ({"groups": ((0, 1),), "divisors": ()}, "begin", 0, Reason.INCONSISTENT),
        ({"divisors": (1.0,) * 4}, "quotients", None, Reason.OUT_OF_RANGE),
        ({"divisors": (10.0, 0.5)}, "divisor", 1, Reason.OUT_OF_RANGE),
        ({"divisors": (10.0, 1e23)}, "divisor", 1, Reason.OUT_OF_RANGE),
        ({"divisors": (np.nan, 10.0)}, "divisor", 0, Reason.NOT_FINITE),
        ({"key": (-1, 3)}, "key_begin", None, Reason.OUT_OF_RANGE),
        ({"key": (49, 49)}, "key_begin", None, Reason.OUT_OF_RANGE),
        ({"key": (3, 2)}, "key_end", None, Reason.OUT_OF_RANGE),
        ({"key": (3, 2**70)}, "key_end", None, Reason.OUT_OF_RANGE),
        (
            {"line": b"1" * 99 + b"\n", "groups": (), "divisors": (), "key": (3, 68)},
            "key_end",
            None,
            Reason.OUT_OF_RANGE,
        ),
    ],
)
def test_what_cannot_be_read_is_refused(build: str, changes, argument, index, reason) -> None:
    """The error names the argument, its place and why, before a byte is read."""
    given_line = changes.get("line", LINE)
    if given_line is not LINE and "groups" not in changes:
        changes = {"groups": (), "divisors": (), "key": (0, 0), **changes}
    if given_line is not LINE and "key" not in changes:
        changes = {"key": (0, 0), **changes}
    with pytest.raises(ArgumentError) as refused:
        lines.read(bytes_of(given_line * 3), *asked(**changes))
    assert (refused.value.argument, refused.value.index, refused.value.reason) == (argument, index, reason)


def test_a_flag_that_is_none_is_refused(build: str) -> None:
    """A place has a digit or not."""
    expected, digit, *rest = asked()
    digit[5] = 2
    with pytest.raises(ArgumentError) as refused:
        lines.read(bytes_of(LINE), expected, digit, *rest)
    assert (refused.value.argument, refused.value.index, refused.value.reason) == ("digit", 5, Reason.NOT_A_CODE)


def test_arrays_that_do_not_go_together_are_refused(build: str) -> None:
    """By their lengths and types, before C sees them."""
    expected, digit, begin, end, divisor, key = asked()
    with pytest.raises(ShapeError, match="text has 47 bytes, a line has 48"):
        lines.read(bytes_of(LINE[:-1]), expected, digit, begin, end, divisor, key)
    with pytest.raises(ShapeError, match="digit has 47 elements"):
        lines.read(bytes_of(LINE), expected, digit[:-1], begin, end, divisor, key)
    with pytest.raises(ShapeError, match="end has 2 elements"):
        lines.read(bytes_of(LINE), expected, digit, begin, end[:2], divisor, key)
    with pytest.raises(TypeError, match="text has dtype int8"):
        lines.read(bytes_of(LINE).view(np.int8), expected, digit, begin, end, divisor, key)
