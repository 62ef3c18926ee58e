"""How one file is read: its shape, where each column stands in it, and what its name says."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from crossrate.basics.pair import parse_pair
from crossrate.files.failure import FileFailure
from crossrate.files.shape import ASK_SIDE, BID_SIDE, ONE_SIDE, OPTIONAL, PRICES, QUANTITIES, Header, Role, Shape
from crossrate.files.stamps import EPOCHS, parse_one
from crossrate.ticks.clock import Clock

PROBE_LINES = 20
FOLDERS_MAX = 5
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", " ": "a space"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How one member is read.

    Attributes:
        shape: as declared.
        places: the column of each role that the file has.
        width: how many columns a row has.
        instrument: what the rows are of, in the platform's name.
        date_ns: midnight of the file's date on its clock, for times that count from it.
        divisor: what prices are divided by: integer points have more than 1.
        clock: the venue's.
        has_header: whether the first line is one.
    """

    shape: Shape
    places: dict[Role, int]
    width: int
    instrument: str
    date_ns: int
    divisor: float
    clock: Clock
    has_header: bool

    @property
    def numbers(self) -> dict[Role, int]:
        """The columns that are numbers, prices first."""
        return {
            role: place
            for role, place in self.places.items()
            if role in PRICES or role in QUANTITIES or role is Role.SEQUENCE
        }

    @property
    def epoch(self) -> int:
        """Nanoseconds of one unit of a time that is a number; 0 if times are text."""
        return EPOCHS.get(self.shape.times[0], 0)

    @property
    def sides(self) -> list[tuple[Role, Role, Role, Role]]:
        """Open, high, low and close of each side that the file has."""
        return [side for side in (ONE_SIDE, BID_SIDE, ASK_SIDE) if set(side) <= self.places.keys()]


def fields_of(line: str, delimiter: str) -> list[str]:
    """The fields of a line without its end."""
    return next(csv.reader([line], delimiter=delimiter), [])


def named(shape: Shape, *paths: str) -> dict[str, str]:
    """What names say: the groups of the shape's pattern, matched at the end of one of the paths.

    The name alone comes first, then with the folders above it, as far as the pattern wants them. A name that says the
    instrument is preferred; a word of six letters that is no pair of the platform's says nothing.
    """
    best: dict[str, str] = {}
    for path in paths if shape.file_name else ():
        parts = path.replace("\\", "/").split("/")[-FOLDERS_MAX:]
        for depth in range(1, len(parts) + 1):
            tail = re.sub(r"\.(zip|gz|zst)$", "", "/".join(parts[-depth:]), flags=re.IGNORECASE)
            found = re.fullmatch(shape.file_name, tail, re.IGNORECASE)
            said = {name: value for name, value in found.groupdict().items() if value} if found else {}
            if "instrument" in said and not _known(shape, said["instrument"]):
                del said["instrument"]
            if "instrument" in said:
                return said
            best = best or said
    return best


def _known(shape: Shape, name: str) -> bool:
    try:
        shape.instrument(name)
    except ValueError:
        return False
    return True


def instrument_of(shape: Shape, name: str, said: dict[str, str], wanted: str | None, row: str | None) -> str:
    """What a file is of: as asked for, else by its name, else by its first row.

    Raises:
        FileFailure: nothing says it, it is no instrument, or name and wish differ.
    """
    found = said.get("instrument") or row
    try:
        if wanted is not None:
            # A wish is written as the platform writes it; what the shape maps to may be anything.
            expected = wanted if wanted in shape.symbols.values() else str(parse_pair(wanted))
            if said.get("instrument") and shape.instrument(said["instrument"]) != expected:
                raise FileFailure(name, f"is of {shape.instrument(said['instrument'])} by its name, not of {expected}")
            return expected
        if found:
            return shape.instrument(found)
    except FileFailure:
        raise
    except ValueError as error:
        raise FileFailure(name, str(error)) from error
    raise FileFailure(name, "does not say which instrument it is of; give it with `instrument`")


def date_of(shape: Shape, name: str, said: dict[str, str], wanted: date | None) -> int:
    """Midnight of a file's date in nanoseconds; 0 where times do not count from it.

    Raises:
        FileFailure: the name has no date and none was given.
    """
    if shape.times[0] != "day_ms":
        return 0
    if wanted is not None:
        return int(datetime(wanted.year, wanted.month, wanted.day, tzinfo=UTC).timestamp()) * 1_000_000_000
    midnight = parse_one(said.get("date", ""), ("%Y%m%d",))
    if midnight is None:
        raise FileFailure(name, f"has no date in its name ({shape.file_name}); give it with `date`")
    return midnight


def plan_of(
    shape: Shape,
    name: str,
    paths: tuple[str, ...],
    lines: list[str],
    *,
    instrument: str | None = None,
    date: date | None = None,
) -> Plan:
    """The plan for a member whose first lines are known.

    Raises:
        FileFailure: the lines do not have the shape, or nothing says what they are of.
    """
    first = fields_of(lines[0], shape.delimiter) if lines else []
    has_header = _has_header(shape, first)
    if has_header:
        places, width = _by_header(shape, name, lines[0], first)
    else:
        places = {role: place for place, role in enumerate(shape.roles) if role is not Role.IGNORE}
        width = len(shape.columns)
        if len(first) != width:
            _refuse_width(shape, name, lines[0], len(first), width)
    said = named(shape, *paths)
    row = None
    rows = lines[1:] if has_header else lines
    if Role.INSTRUMENT in places and rows:
        cells = fields_of(rows[0], shape.delimiter)
        row = cells[places[Role.INSTRUMENT]] if len(cells) == width else None
    what = instrument_of(shape, name, said, instrument, row)
    return Plan(
        shape,
        places,
        width,
        what,
        date_of(shape, name, said, date),
        10.0 ** shape.digits(what),
        Clock.parse(shape.clock),
        has_header,
    )


def _has_header(shape: Shape, first: list[str]) -> bool:
    """Whether the first line names columns."""
    if shape.header is not Header.EITHER:
        return shape.header is Header.PRESENT
    place = shape.roles.index(Role.DATE if shape.dates else Role.TIME)
    cell = first[place].strip() if place < len(first) else ""
    if shape.times[0] in EPOCHS and not shape.dates:
        return not cell.isdigit()
    return bool(re.search(r"[A-Za-z]{3}", cell)) and parse_one(cell, shape.dates or shape.times) is None


def _by_header(shape: Shape, name: str, line: str, header: list[str]) -> tuple[dict[Role, int], int]:
    """The columns by their names."""
    if len(header) < 2:
        _refuse_width(shape, name, line, len(header), len(shape.columns))
    places: dict[Role, int] = {}
    for column in shape.columns:
        if column.role is Role.IGNORE:
            continue
        answering = [
            place for place, cell in enumerate(header) if column.answers_to(cell) and place not in places.values()
        ]
        if answering:
            places[column.role] = answering[0]
        elif column.role not in OPTIONAL:
            raise FileFailure(
                name,
                f"has no column for {column.role}; its header has {', '.join(header)[:200]}. Name it in `columns`",
                line=1,
            )
    return places, len(header)


def _refuse_width(shape: Shape, name: str, line: str, found: int, wanted: int) -> None:
    """Says which delimiter would do, if one would."""
    counts = {each: len(fields_of(line, each)) for each in DELIMITERS if each != shape.delimiter}
    better = max(counts, key=lambda each: (counts[each] == wanted, counts[each]))
    hint = f"; it seems to be separated by {DELIMITERS[better]}: set `delimiter`" if counts[better] > found else ""
    raise FileFailure(
        name, f"has {found} column{'s' if found != 1 else ''} where {shape.name} has {wanted}{hint}", line=1
    )
