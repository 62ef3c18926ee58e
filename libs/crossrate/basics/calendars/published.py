"""Holidays from published lists: the files in `published/`, read when a calendar is first asked."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from importlib import resources


@functools.cache
def _table(currency: str) -> Mapping[int, Mapping[date, str]]:
    text = resources.files("crossrate.basics.calendars").joinpath("published", f"{currency}.tsv").read_text("utf-8")
    years: dict[int, dict[date, str]] = defaultdict(dict)
    for line in text.splitlines():
        day, name = line.split("\t")
        years[int(day[:4])][date.fromisoformat(day)] = name
    return dict(years)


def holidays_of(currency: str) -> Callable[[int], Mapping[date, str]]:
    """The holidays of a currency by year, from its file."""
    return lambda year: _table(currency).get(year, {})
