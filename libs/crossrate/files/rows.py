"""One line at a time, for the lines about which the fast ways have doubts: they say what is wrong."""

from __future__ import annotations

import csv
import math
import re

from crossrate.files.fields import EXACT_MAX
from crossrate.files.plan import Plan, fields_of
from crossrate.files.shape import PRICES, QUANTITIES, Role
from crossrate.files.stamps import parse_one
from crossrate.ticks.clock import BEGIN, END, YEAR_END, YEAR_FIRST

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class Wrong(ValueError):
    """A line that is no row, and why."""


def row_of(line: bytes, plan: Plan, line_bytes_max: int) -> tuple[int, dict[Role, float]]:
    """Time on the venue's clock and numbers of a line, NaN where a cell is empty.

    Raises:
        Wrong: it is no row; the message says which column and why.
    """
    if len(line) > line_bytes_max:
        raise Wrong(f"is longer than {line_bytes_max} bytes")
    try:
        text = line.decode("utf-8").rstrip("\r\n")
        cells = fields_of(text, plan.shape.delimiter)
    except UnicodeDecodeError as error:
        raise Wrong(f"is not UTF-8 at byte {error.start}") from error
    except csv.Error as error:
        raise Wrong(f"cannot be split: {error}") from error
    if not text.strip():
        raise Wrong("is empty")
    if len(cells) != plan.width:
        raise Wrong(f"has {len(cells)} column{'s' if len(cells) != 1 else ''}, not {plan.width}")
    if Role.INSTRUMENT in plan.places:
        _instrument(cells[plan.places[Role.INSTRUMENT]], plan)
    time = _time(cells, plan)
    numbers = {role: _number(cells[place], role, plan) for role, place in plan.numbers.items()}
    possible(time, numbers, plan)
    return time, numbers


def possible(time: int, numbers: dict[Role, float], plan: Plan) -> None:
    """Refuses what cannot be, whatever wrote it.

    Raises:
        Wrong: a time, a price, a quantity or a bar is impossible.
    """
    if not BEGIN <= time < END:
        raise Wrong(f"time is not in {YEAR_FIRST} to {YEAR_END - 1}")
    for role, value in numbers.items():
        if math.isnan(value) and (role not in PRICES or plan.shape.carry):
            continue
        if role in PRICES and not 0 < value < math.inf:
            raise Wrong(f"{role} is {value:g}: a price is a number above 0")
        if role in QUANTITIES and not 0 <= value < math.inf:
            raise Wrong(f"{role} is {value:g}: a quantity is not negative")
        if role is Role.SEQUENCE and not 0 <= value < EXACT_MAX:
            raise Wrong(f"{role} is {value:g}: a number is from 0 to {EXACT_MAX}")
    for side in plan.sides:
        first, high, low, last = (numbers[role] for role in side)
        if not (low <= first <= high and low <= last <= high):
            raise Wrong(
                f"{side[1]} {high:g} and {side[2]} {low:g} do not hold {side[0]} {first:g} and {side[3]} {last:g}"
            )


def _instrument(cell: str, plan: Plan) -> None:
    """Refuses another instrument."""
    try:
        found = plan.shape.instrument(cell)
    except ValueError as error:
        raise Wrong(f"instrument {error}") from error
    if found != plan.instrument:
        raise Wrong(f"instrument is {found}, the file's is {plan.instrument}")


def _time(cells: list[str], plan: Plan) -> int:
    """Nanoseconds on the venue's clock."""
    shape = plan.shape
    total = plan.date_ns
    cell = cells[plan.places[Role.TIME]]
    if plan.epoch:
        if not re.fullmatch(r"\d{1,19}", cell.strip()):
            raise Wrong(f"time {cell!r} is no whole number ({shape.times[0]})")
        total += int(cell) * plan.epoch
    for role, forms in () if plan.epoch else ((Role.DATE, shape.dates), (Role.TIME, shape.times)):
        if forms:
            cell = cells[plan.places[role]]
            found = parse_one(cell, forms)
            if found is None:
                raise Wrong(f"{role} {cell!r} is not of the form {' or '.join(forms)}, or there is no such moment")
            total += found
    return total


def _number(cell: str, role: Role, plan: Plan) -> float:
    """A number; NaN for a cell that may be empty."""
    text = cell.strip()
    if not text and (role not in PRICES or plan.shape.carry):
        return math.nan
    if plan.shape.decimal_mark == ",":
        text = text.replace(",", ".") if "." not in text else ""
    if text.lower() in ("nan", "-nan", "+nan", "inf", "-inf", "+inf", "infinity", "null", "none", ""):
        raise Wrong(f"{role} is {cell.strip() or 'empty'}")
    if not NUMBER.fullmatch(text):
        raise Wrong(f"{role} {cell!r} is no number with decimal mark {plan.shape.decimal_mark!r}")
    return float(text)
