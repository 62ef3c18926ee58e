"""A daily file as a history: wide and long, with every line that is refused."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossrate.files.failure import FileFailure
from services.marketdata.daily.declared import DailyFile
from services.marketdata.daily.rows import BadCell, Cells, Problem, Table, table
from services.marketdata.domain.history import History, Pair, Prices, inverse

PROBLEMS_MAX = 20
"""Problems of a file that are told one by one; all are counted."""

Rate = tuple[float, float, float]
"""Rate, bid and ask; NaN where a side is not known."""

_NONE = float("nan")


class FileRefused(Exception):
    """The file changes nothing; `problems` say why, at most PROBLEMS_MAX of `count`."""

    def __init__(self, problems: list[Problem], count: int) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems
        self.count = count


@dataclass(slots=True)
class Loaded:
    """What a file holds.

    Attributes:
        history: its rates.
        problems: lines that were refused, at most PROBLEMS_MAX.
        count: how many there were.
    """

    history: History
    problems: list[Problem]
    count: int


@dataclass(slots=True)
class _Collected:
    """Rates by pair and day, and the line that each came from."""

    rates: dict[Pair, dict[dt.date, Rate]] = field(default_factory=dict)
    lines: dict[tuple[Pair | None, dt.date], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def once(self, field_: str, pair: Pair | None, day: dt.date, line: int) -> None:
        """Raises BadCell if a day, of a pair or at all, came before."""
        before = self.lines.setdefault((pair, day), line)
        if before != line:
            raise BadCell(field_, f"{day} is on line {before} already" + (f" for {'/'.join(pair)}" if pair else ""))


def load(path: Path, spec: DailyFile, name: str, today: dt.date) -> Loaded:
    """Reads a file. Blocks.

    Args:
        path: where it is.
        spec: how it is declared.
        name: what the file is called in problems.
        today: UTC; days after tomorrow are refused.

    Raises:
        FileRefused: it cannot be read, is not what is declared, or more lines are refused than may be.
    """
    try:
        read, cells = table(path, spec), Cells(spec, today)
        took = _Collected()
        lines = _wide(read, spec, cells, took) if spec.layout == "wide" else _long(read, spec, cells, took)
        for line in lines:
            if isinstance(line, Problem):
                took.count += 1
                if len(took.problems) < PROBLEMS_MAX:
                    took.problems.append(Problem(name, line.line, line.field, line.reason))
        if took.count > spec.bad_rows_max:
            raise FileRefused(took.problems, took.count)
        base = spec.base or _shared(took)
        if not any(took.rates.values()):
            raise BadCell("", "it has no rate at all")
        return Loaded(_history(took, base, spec.description or name), took.problems, took.count)
    except FileFailure as error:
        raise FileRefused([Problem(name, error.line or 0, "", error.reason)], 1) from error
    except BadCell as error:
        raise FileRefused([Problem(name, 0, error.field, error.reason)], 1) from error


def _places(read: Table, wanted: dict[str, str]) -> dict[str, int]:
    """Where the columns are, by what they are for; names are compared without regard to case."""
    names = [name.casefold() for name in read.names]
    return {what: names.index(column.casefold()) for what, column in wanted.items() if column.casefold() in names}


def _wide(read: Table, spec: DailyFile, cells: Cells, took: _Collected) -> Iterator[Problem | None]:
    date = _places(read, {"date": spec.date_column}).get("date")
    if date is None:
        raise BadCell("date_column", f"there is no column {spec.date_column!r}; there are {_shown(read.names)}")
    base = spec.base or ""
    places: dict[int, tuple[str, Pair, float]] = {}
    ignored = {name.casefold() for name in spec.ignore}
    for place, name in enumerate(read.names):
        if place == date or name.casefold() in ignored or not name:
            continue
        code = spec.columns.get(name) or name
        if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
            raise BadCell(name, "is no currency code; name its currency in `columns`, or the column in `ignore`")
        if any(pair[0] == code or pair[1] == code for _, pair, _ in places.values() if code != base):
            raise BadCell(name, f"{code} has a column already")
        pair = (base, code) if spec.per == "base" else (code, base)
        places[place] = name, pair, spec.units.get(code, 1.0)
    unknown = sorted(spec.units.keys() - {code for _, pair, _ in places.values() for code in pair})
    if unknown:
        raise BadCell("units", f"there is no column of {unknown[0]}")
    for number, row in read.lines:
        try:
            _full(row, read)
            day = cells.day(row[date])
            found: list[tuple[Pair, float]] = []
            for place, (name, pair, unit) in places.items():
                value = cells.number(name, row[place])
                if value is None:
                    continue
                if pair[0] == pair[1]:
                    if value != unit:
                        raise BadCell(name, f"{base} against itself is {value}, not 1")
                    continue
                found.append((pair, value / unit))
            took.once(spec.date_column, None, day, number)
        except BadCell as error:
            yield Problem("", number, error.field, error.reason)
            continue
        for pair, value in found:
            took.rates.setdefault(pair, {})[day] = (value, _NONE, _NONE)
        yield None


def _long(read: Table, spec: DailyFile, cells: Cells, took: _Collected) -> Iterator[Problem | None]:
    columns = {
        "date": spec.date_column,
        "pair": spec.pair_column,
        "base": spec.base_column,
        "counter": spec.counter_column,
        "rate": spec.rate_column,
        "bid": spec.bid_column,
        "ask": spec.ask_column,
    }
    places = _places(read, columns)
    if "date" not in places:
        raise BadCell("date_column", f"there is no column {spec.date_column!r}; there are {_shown(read.names)}")
    if "pair" not in places and not {"base", "counter"} <= places.keys():
        words = f"there is no column {spec.pair_column!r}, nor both {spec.base_column!r} and {spec.counter_column!r}"
        raise BadCell("pair_column", f"{words}; there are {_shown(read.names)}")
    if "rate" not in places and not {"bid", "ask"} <= places.keys():
        words = f"there is no column {spec.rate_column!r}, nor both {spec.bid_column!r} and {spec.ask_column!r}"
        raise BadCell("rate_column", f"{words}; there are {_shown(read.names)}")
    for number, row in read.lines:
        try:
            _full(row, read)
            day = cells.day(row[places["date"]])
            pair = _pair(row, places, columns)
            rate = _rate(row, places, columns, cells)
            # The same pair the other way round is the same rate twice.
            took.once(spec.date_column, min(pair, pair[::-1]), day, number)
        except BadCell as error:
            yield Problem("", number, error.field, error.reason)
            continue
        if rate is not None:
            took.rates.setdefault(pair, {})[day] = rate
        yield None


def _full(row: list[Any], read: Table) -> None:
    if len(row) != len(read.names):
        raise BadCell("", f"has {len(row)} cells, the line with the names has {len(read.names)}")


def _pair(row: list[Any], places: dict[str, int], columns: dict[str, str]) -> Pair:
    if "pair" in places:
        text, name = str(row[places["pair"]]), columns["pair"]
        letters = "".join(each for each in text if each.isalpha()).upper()
        if len(letters) != 6 or not letters.isascii() or len(text.strip()) > 10:
            raise BadCell(name, f"{text[:40]!r} is no pair, as EUR/USD is")
        pair = letters[:3], letters[3:]
    else:
        pair = "", ""
        for what in ("base", "counter"):
            code, name = str(row[places[what]]).strip().upper(), columns[what]
            if len(code) != 3 or not code.isascii() or not code.isalpha():
                raise BadCell(name, f"{code[:40]!r} is no currency code, as EUR is")
            pair = (code, "") if what == "base" else (pair[0], code)
    if pair[0] == pair[1]:
        raise BadCell(name, f"{pair[0]} against itself has no rate")
    return pair


def _rate(row: list[Any], places: dict[str, int], columns: dict[str, str], cells: Cells) -> Rate | None:
    """What a line says; None if it says that there is no rate."""
    rate, bid, ask = (
        cells.number(columns[what], row[places[what]]) if what in places else None for what in ("rate", "bid", "ask")
    )
    if bid is not None and ask is not None and bid > ask:
        raise BadCell(columns["bid"], f"{bid} is above the ask, {ask}")
    if rate is None:
        if bid is None or ask is None:
            if bid is None and ask is None:
                return None
            raise BadCell(columns["ask" if ask is None else "bid"], "is missing, and there is no rate either")
        rate = bid / 2 + ask / 2
    if not (bid or 0.0) <= rate <= (ask or math.inf):
        raise BadCell(columns["rate"], f"{rate} is not between bid and ask")
    return rate, _NONE if bid is None else bid, _NONE if ask is None else ask


def _shared(took: _Collected) -> str:
    """The currency that all pairs of a long file have."""
    count: Counter[str] = Counter(code for pair in took.rates for code in set(pair))
    shared = sorted(code for code, pairs in count.items() if pairs == len(took.rates))
    if not shared:
        raise BadCell("base", "the pairs share no currency: name in `base` the one that crosses go through")
    # Of a single pair either would do.
    return shared[0] if len(shared) == 1 else next(iter(took.rates))[0]


def _history(took: _Collected, base: str, words: str) -> History:
    codes = sorted({base, *(code for pair in took.rates for code in pair)})
    days = sorted({day for rates in took.rates.values() for day in rates})
    place, column = {day: i for i, day in enumerate(days)}, {code: i for i, code in enumerate(codes)}
    table = np.full((3, len(days), len(codes)), np.nan)
    table[:, :, column[base]] = 1.0
    direct: dict[Pair, Prices] = {}
    for pair, rates in took.rates.items():
        at = [place[day] for day in rates]
        prices = np.full((3, len(days)), np.nan)
        prices[:, at] = np.array(list(rates.values())).T
        if pair[0] == base:
            _fill(table[:, :, column[pair[1]]], prices)
        elif pair[1] == base:
            _fill(table[:, :, column[pair[0]]], inverse(prices))
        elif pair[::-1] in direct:
            _fill(direct[pair[::-1]], inverse(prices))
        else:
            direct[pair] = prices
    dates = np.array(days, dtype="datetime64[D]")
    sides = table[1:] if not np.isnan(np.delete(table[1:], column[base], axis=2)).all() else None
    rates = np.ascontiguousarray(table[0])
    return History(base, tuple(codes), dates, rates, words, sides, direct)


def _fill(into: Prices, prices: Prices) -> None:
    """Writes the days of one direction into those of the other; each day came once."""
    known = ~np.isnan(prices[0])
    into[:, known] = prices[:, known]


def _shown(names: list[str]) -> str:
    return ", ".join(names)[:200]
