"""Times in text as nanoseconds, for whole columns of equal width at once.

Everything up to the minute is read only where it differs from the row before, which in a file of quotes is seldom;
seconds and their fraction are read in every row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from crossrate.ticks.clock import DAY, HOUR, MINUTE, SECOND, YEAR_END, YEAR_FIRST

EPOCHS = {"epoch_s": SECOND, "epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1, "day_ms": 1_000_000}
"""Times that are numbers, and their unit in nanoseconds; `day_ms` counts from the midnight of the file's date."""
DIRECTIVES = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "f": 0, "z": 5, "b": 3, "s": 10}
"""Directives as in strptime and how many characters they take; `%f` takes one to nine, `%s` is seconds since 1970."""
FRACTION_MAX = 9
WIDTH_MAX = 64
LANE = 8
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZERO = np.uint8(48)


@dataclass(frozen=True, slots=True)
class Layout:
    """A format at one width: where each directive and each other character stands.

    Attributes:
        width: characters.
        places: directive, begin and length of each.
        literals: place and character of everything else.
        minute_end: where what is read in every row begins; `width` if the format has another order.
    """

    width: int
    places: tuple[tuple[str, int, int], ...]
    literals: tuple[tuple[int, int], ...]
    minute_end: int


@cache
def layout_of(form: str, width: int) -> Layout | None:
    """The layout of a format for texts of a width; None if the format has no such width.

    Raises:
        ValueError: a directive is not known, or there are two fractions.
    """
    parts = re.findall(r"%(.)|([^%])", form)
    unknown = [each for each, _ in parts if each and each not in DIRECTIVES]
    if unknown or form.count("%f") > 1:
        raise ValueError(
            f"{form!r}: %{unknown[0] if unknown else 'f'} cannot be read; known are %{' %'.join(DIRECTIVES)}"
        )
    fixed = sum(DIRECTIVES[each] if each else 1 for each, _ in parts)
    fraction = width - fixed
    if not (1 <= fraction <= FRACTION_MAX if "%f" in form else fraction == 0):
        return None
    at, places, literals, order = 0, [], [], ""
    second = width
    for directive, literal in parts:
        length = (fraction if directive == "f" else DIRECTIVES[directive]) if directive else 1
        if directive:
            places.append((directive, at, length))
            second = at if directive == "S" else second
            order += directive
        else:
            literals.append((at, ord(literal)))
        at += length
    # Only seconds and their fraction may follow what is remembered.
    tail = order[order.index("S") :] if "S" in order else ""
    return Layout(width, tuple(places), tuple(literals), second if tail in ("S", "Sf") else width)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Texts of one width in a buffer, at equal distances.

    Attributes:
        flat: the bytes.
        begin: where the first text begins.
        stride: bytes from one text to the next.
        count: how many.
        width: characters of each.
    """

    flat: NDArray[np.uint8]
    begin: int
    stride: int
    count: int
    width: int

    def column(self, place: int) -> NDArray[np.uint8]:
        """One character of every text."""
        return np.ndarray((self.count,), np.uint8, self.flat, self.begin + place, (self.stride,))

    def rows(self, which: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Some of the texts as a matrix."""
        every = np.ndarray((self.count, self.width), np.uint8, self.flat, self.begin, (self.stride, 1))
        return every[which]

    def changes(self, end: int) -> NDArray[np.int64]:
        """The texts whose first `end` characters differ from those of the text before, and the first."""
        changed = np.zeros(max(self.count - 1, 0), np.bool_)
        at = 0
        while at < end:
            size = 8 if end >= 8 else 4 if end >= 4 else 2 if end >= 2 else 1
            at = min(at, end - size)
            lane = np.ndarray((self.count,), f"<u{size}", self.flat, self.begin + at, (self.stride,))
            changed |= lane[1:] != lane[:-1]
            at += size
        return np.concatenate([[0], np.flatnonzero(changed) + 1])


def parse(texts: Texts, layout: Layout, *, to_minute: bool = False) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Nanoseconds since the clock's 1970 (since midnight for a format without a date), and which texts are times.

    With `to_minute` what stands behind the minute is neither read nor checked.
    """
    if not texts.count:
        return np.empty(0, np.int64), np.empty(0, np.bool_)
    end = layout.minute_end
    changes = texts.changes(end)
    sparse = 2 * len(changes) < texts.count
    rows = changes if sparse else np.arange(texts.count)
    base, good = parse_to_minute(texts, layout, rows)
    if sparse:
        lengths = np.diff(changes, append=texts.count)
        base, good = np.repeat(base, lengths), np.repeat(good, lengths)
    if to_minute:
        return base, good
    for directive, begin, length in layout.places:
        if begin >= end:
            value, digits = _number(texts.column(place) for place in range(begin, begin + length))
            good &= digits
            if directive == "S":
                good &= value < 60
                base += value.astype(np.int64) * SECOND
            else:
                base += value.astype(np.int64) * 10 ** (FRACTION_MAX - length)
    for place, literal in layout.literals:
        if place >= end:
            good &= texts.column(place) == literal
    return base, good


def parse_to_minute(
    texts: Texts, layout: Layout, which: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The same for some of the texts; what stands behind the minute is neither read nor checked."""
    return _to_minute(texts.rows(which), layout, layout.minute_end)


def _number(columns) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Digits as a number of at most nine digits, and where they are digits."""
    value = good = None
    for column in columns:
        digit = column - _ZERO
        if value is None:
            value, good = digit.astype(np.int32), digit <= 9
        else:
            value *= 10
            value += digit
            good &= digit <= 9
    return value, good


def _to_minute(matrix: NDArray[np.uint8], layout: Layout, end: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """What stands before `end`, in nanoseconds."""
    good = np.ones(len(matrix), np.bool_)
    found: dict[str, NDArray] = {}
    for directive, begin, length in layout.places:
        if begin >= end:
            continue
        if directive == "z":
            found["z"], valid = _zone(matrix[:, begin : begin + length])
        elif directive == "s":
            high, valid = _number(matrix[:, place] for place in range(begin, begin + 5))
            low, rest = _number(matrix[:, place] for place in range(begin + 5, begin + 10))
            found["s"], valid = high.astype(np.int64) * 100_000 + low, valid & rest
        elif directive == "b":
            found["m"], valid = _month(matrix[:, begin : begin + length])
        else:
            found[directive], valid = _number(matrix[:, place] for place in range(begin, begin + length))
            found["width"] = length if directive == "f" else found.get("width", FRACTION_MAX)
        good &= valid
    for place, literal in layout.literals:
        if place < end:
            good &= matrix[:, place] == literal
    zero = np.zeros(len(matrix), np.int64)
    hour, minute, second = (found.get(each, zero).astype(np.int64) for each in "HMS")
    good &= (hour < 24) & (minute < 60) & (second < 60)
    total = hour * HOUR + minute * MINUTE + second * SECOND
    if "f" in found:
        total += found["f"].astype(np.int64) * 10 ** (FRACTION_MAX - found["width"])
    if "Y" in found:
        days, valid = _days(found["Y"], found.get("m", zero + 1), found.get("d", zero + 1))
        good &= valid
        total += days * DAY
    if "s" in found:
        total += found["s"] * SECOND
    return total - found["z"] if "z" in found else total, good


def _days(year: NDArray, month: NDArray, day: NDArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since 1970, and where there is such a day in the years of the clocks."""
    good = (year >= YEAR_FIRST) & (year < YEAR_END) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(good, (year.astype(np.int64) - 1970) * 12 + month - 1, 0).astype("M8[M]")
    first = months.astype("M8[D]").astype(np.int64)
    length = (months + 1).astype("M8[D]").astype(np.int64) - first
    return first + day.astype(np.int64) - 1, good & (day <= length)


def _zone(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """An offset such as +0100, east positive, in nanoseconds."""
    hours, good = _number(matrix[:, place] for place in (1, 2))
    minutes, valid = _number(matrix[:, place] for place in (3, 4))
    sign = matrix[:, 0]
    good = good & valid & ((sign == ord("+")) | (sign == ord("-"))) & (hours <= 14) & (minutes < 60)
    size = hours.astype(np.int64) * HOUR + minutes.astype(np.int64) * MINUTE
    return np.where(sign == ord("-"), -size, size), good


def _month(matrix: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """An English month of three letters, 1 to 12."""
    lower = matrix | np.uint8(0x20)
    found = np.zeros(len(matrix), np.int64)
    for number, name in enumerate(MONTHS, start=1):
        found[(lower == np.frombuffer(name.encode(), np.uint8)).all(axis=1)] = number
    return found, found > 0


def parse_one(text: str, forms: tuple[str, ...]) -> int | None:
    """One time in the first of the formats that it has; None if it has none."""
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    for form in forms:
        layout = layout_of(form, len(data))
        if layout is not None:
            found, good = parse(Texts(data, 0, max(len(data), 1), 1, len(data)), layout)
            if good[0]:
                return int(found[0])
    return None


def parse_column(
    flat: NDArray[np.uint8], begins: NDArray[np.int64], widths: NDArray[np.int64], forms: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Texts of any widths, each in the first format that it has: as `parse`."""
    found = np.zeros(len(begins), np.int64)
    good = np.zeros(len(begins), np.bool_)
    if len(widths) and int(widths.max()) > WIDTH_MAX:
        # No time is so long; what is, is none.
        widths = np.where(widths > WIDTH_MAX, 0, widths)
    for width in np.flatnonzero(np.bincount(widths)).tolist():
        rows = np.flatnonzero(widths == width)
        layouts = [each for form in forms if (each := layout_of(form, width)) is not None]
        if not layouts:
            continue
        if len(rows) == len(begins) and int(begins[-1] - begins[0]) == (len(begins) - 1) * width:
            texts = Texts(flat, int(begins[0]), width, len(rows), width)
        else:
            texts = _gathered(flat, begins[rows], width)
        for layout in layouts:
            stamp, fits = parse(texts, layout)
            new = fits & ~good[rows]
            found[rows[new]] = stamp[new]
            good[rows[new]] = True
    return found, good


def _gathered(flat: NDArray[np.uint8], begins: NDArray[np.int64], width: int) -> Texts:
    """Texts of one width from anywhere, side by side: eight bytes at a time where there are so many."""
    if width < LANE:
        return Texts(flat[begins[:, np.newaxis] + np.arange(width)].ravel(), 0, width, len(begins), width)
    lanes = np.ndarray((len(flat) - LANE + 1,), "<u8", flat, 0, (1,))
    places = [*range(0, width - LANE, LANE), width - LANE]
    out = np.empty((len(begins), len(places) * LANE), np.uint8)
    wide = out.view("<u8")
    for place, at in enumerate(places):
        wide[:, place] = lanes[begins + at]
    # The last lane overlaps the one before; its bytes move to where they belong.
    spare = len(places) * LANE - width
    if spare:
        out[:, width - LANE : width] = out[:, -LANE:].copy()
    return Texts(out.ravel(), 0, len(places) * LANE, len(begins), width)
