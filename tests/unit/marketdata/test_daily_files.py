"""Daily files: what is taken of them, what is refused with which words, and when they are read again."""

from __future__ import annotations

import datetime as dt
import gzip
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata import ecb
from services.marketdata.daily.declared import DailyFile
from services.marketdata.daily.parse import PROBLEMS_MAX, FileRefused, Loaded, load
from services.marketdata.daily.sources import DailySources, NoRates, UnknownSource
from services.marketdata.domain.history import Days, History

TODAY = dt.date(2026, 3, 2)
BEGIN, END = np.datetime64("1900-01-01"), np.datetime64("2199-12-31")
WIDE = {"path": "f.csv", "layout": "wide", "base": "EUR"}
LONG = {"path": "f.csv", "layout": "long"}


def loaded(folder: Path, text: str | bytes, today: dt.date = TODAY, **spec: Any) -> Loaded:
    """What a file with this text holds."""
    path = folder / "f.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path, DailyFile(**spec), "f.csv", today)


def refusal(folder: Path, text: str | bytes, **spec: Any) -> list[str]:
    """What is said of a file that is refused."""
    with pytest.raises(FileRefused) as caught:
        loaded(folder, text, **spec)
    assert caught.value.count >= len(caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def days(history: History, base: str, counter: str) -> Days:
    """All days of a pair."""
    return history.quoted(base, counter, BEGIN, END)


def test_a_wide_file_has_all_crosses(tmp_path: Path) -> None:
    """Lines in any order, holes where there is no rate, currencies by code or by declared name."""
    text = "Date,USD,US yen,note\n2026-02-03,1.2,,x\n2026-02-02,1.1,165.5,y\n\n2026-02-05,N/A,166,\n"
    found = loaded(tmp_path, text, **WIDE, columns={"US yen": "JPY"}, ignore=["note"])
    history = found.history
    assert (history.numeraire, history.currencies, found.count) == ("EUR", ("EUR", "JPY", "USD"), 0)
    assert days(history, "USD", "JPY").dates.astype(str).tolist() == ["2026-02-02"]
    assert days(history, "USD", "JPY").rates.tolist() == [165.5 / 1.1]
    assert days(history, "JPY", "EUR").rates.tolist() == [1 / 165.5, 1 / 166]
    assert np.isnan(days(history, "EUR", "USD").bids).all()


def test_a_central_bank_may_quote_the_other_way_round(tmp_path: Path) -> None:
    """Units of the base per hundred of the column's currency, with commas, its own dates and a preamble."""
    text = "Tabela A\nData;EUR;JPY;PLN\n02.02.2026;4,25;2,75;1\n"
    spec = {
        "path": "f.csv",
        "layout": "wide",
        "base": "PLN",
        "per": "currency",
        "units": {"JPY": 100},
        "delimiter": ";",
        "decimal": ",",
        "skip_lines": 1,
        "date_column": "data",
        "date_format": "%d.%m.%Y",
    }
    history = loaded(tmp_path, text, **spec).history
    assert days(history, "JPY", "PLN").rates == pytest.approx([0.0275], rel=1e-15)
    assert days(history, "EUR", "JPY").rates == pytest.approx([4.25 / 0.0275], rel=1e-15)


def test_a_long_file_has_sides_and_crosses_of_them(tmp_path: Path) -> None:
    """A cross is bid at what its legs are sold and bought for; a pair that was published itself is not crossed."""
    text = (
        "date,pair,rate,bid,ask\n2026-02-02,EUR/USD,1.2,1.19,1.21\n2026-02-02,usdjpy,150,149,152\n"
        "2026-02-02,GBP/USD,,1.30,1.32\n2026-02-03,EUR/USD,1.3,,\n2026-02-03,USD/JPY,151,150,152\n"
        "2026-02-02,GBP-EUR,1.1,1.09,1.12\n2026-02-03,GBP/USD,1.4,1.39,1.41\n"
    )
    history = loaded(tmp_path, text, **LONG, base="USD").history
    cross = days(history, "EUR", "JPY")
    assert cross.rates.tolist() == pytest.approx([1.2 * 150, 1.3 * 151], rel=1e-15)
    assert cross.bids[0] == pytest.approx(1.19 * 149, rel=1e-15)
    assert cross.asks[0] == pytest.approx(1.21 * 152, rel=1e-15)
    assert math.isnan(cross.bids[1])
    assert days(history, "GBP", "USD").rates.tolist() == pytest.approx([1.31, 1.4], rel=1e-15)
    published = days(history, "GBP", "EUR")
    assert published.rates.tolist() == pytest.approx([1.1, 1.4 / 1.3], rel=1e-15)
    assert published.bids[0] == 1.09
    turned = days(history, "EUR", "GBP")
    assert (turned.rates[0], turned.bids[0], turned.asks[0]) == pytest.approx((1 / 1.1, 1 / 1.12, 1 / 1.09), rel=1e-15)
    assert turned.bids[0] <= turned.rates[0] <= turned.asks[0]


def test_the_shared_currency_of_a_long_file_is_its_base(tmp_path: Path) -> None:
    """Without one it has to be named; two columns of codes are as good as one of pairs."""
    text = "Date,Base,Counter,Rate\n2026-02-02,USD,JPY,150\n2026-02-02,EUR,USD,1.2\n"
    history = loaded(tmp_path, text, **LONG).history
    assert history.numeraire == "USD"
    assert days(history, "EUR", "JPY").rates.tolist() == pytest.approx([180], rel=1e-15)
    (said,) = refusal(tmp_path, text + "2026-02-02,GBP,CHF,1.1\n", **LONG)
    assert said == "f.csv, base: the pairs share no currency: name in `base` the one that crosses go through"
    far = loaded(tmp_path, text + "2026-02-02,GBP,CHF,1.1\n", **LONG, base="USD").history
    assert days(far, "CHF", "GBP").rates.tolist() == [1 / 1.1]
    assert len(days(far, "GBP", "USD").dates) == 0


@pytest.mark.parametrize(
    ("text", "spec", "words"),
    [
        ("", WIDE, "f.csv: is empty"),
        ("Date,USD\n", WIDE, "f.csv: it has no rate at all"),
        ("Date;USD\n2026-02-02;1\n", WIDE, "f.csv: has 1 column(s), from 2 to 400 are read: look at `delimiter`"),
        ("Day,USD\n", WIDE, "f.csv, date_column: there is no column 'date'; there are Day, USD"),
        ("Date,Dollar\n", WIDE, "f.csv, Dollar: is no currency code; name its currency in `columns`"),
        ("Date,USD,USD\n", WIDE, "f.csv, USD: USD has a column already"),
        ("Date,USD\n2026-02-02,1.1,5\n", WIDE, "f.csv, line 2: has 3 cells, the line with the names has 2"),
        ("Date,USD\n2026-02-30,1.1\n", WIDE, "f.csv, line 2, date: '2026-02-30' is no day of the form %Y-%m-%d"),
        ("Date,USD\n20260202,1.1\n", WIDE, "f.csv, line 2, date: '20260202' is no day"),
        ("Date,USD\n2026-03-04,1.1\n", WIDE, "f.csv, line 2, date: 2026-03-04 is in the future"),
        ("Date,USD\n1026-03-04,1.1\n", WIDE, "f.csv, line 2, date: 1026-03-04 is not within 1900 and 2199"),
        ("Date,USD\n2026-02-02,1,1\n", WIDE | {"decimal": ",", "delimiter": ";"}, "f.csv: has 1 column(s)"),
        ("Date,USD\n2026-02-02,1.1x\n", WIDE, "f.csv, line 2, USD: '1.1x' is no number"),
        ("Date,USD\n2026-02-02,inf\n", WIDE, "f.csv, line 2, USD: 'inf' is no number"),
        ("Date,USD\n2026-02-02,1e999\n", WIDE, "f.csv, line 2, USD: inf is not positive"),
        ("Date,USD\n2026-02-02,0\n", WIDE, "f.csv, line 2, USD: 0.0 is not positive and finite"),
        ("Date,USD\n2026-02-02,-1.1\n", WIDE, "f.csv, line 2, USD: -1.1 is not positive and finite"),
        ("Date,USD,EUR\n2026-02-02,1.1,2\n", WIDE, "f.csv, line 2, EUR: EUR against itself is 2.0, not 1"),
        ("Date,USD\n2026-02-02,1.1\n2026-02-02,1.1\n", WIDE, "f.csv, line 3, date: 2026-02-02 is on line 2 already"),
        (b"Date,USD\n2026-02-02,\xff\n", WIDE, "f.csv, line 2: is not UTF-8"),
        ('Date,USD\n2026-02-02,"1.1\n', WIDE, "f.csv, line 2: is no delimited text"),
        (gzip.compress(b"Date,USD\n2026-02-02,1.1\n" * 99, mtime=0)[:-9], WIDE, "f.csv: is damaged or cut off after"),
        ("PAR1 and more", WIDE, "f.csv: is no whole Parquet file"),
        ("date,rate\n", LONG, "f.csv, pair_column: there is no column 'pair', nor both 'base' and 'counter'"),
        ("date,pair,bid\n", LONG, "f.csv, rate_column: there is no column 'rate', nor both 'bid' and 'ask'"),
        ("date,pair,rate\n2026-02-02,EURO,1\n", LONG, "f.csv, line 2, pair: 'EURO' is no pair, as EUR/USD is"),
        ("date,pair,rate\n2026-02-02,EUREUR,1\n", LONG, "f.csv, line 2, pair: EUR against itself has no rate"),
        (
            "date,pair,rate\n2026-02-02,EURUSD,1\n2026-02-02,USDEUR,1\n",
            LONG,
            "f.csv, line 3, date: 2026-02-02 is on line 2 already for EUR/USD",
        ),
        ("date,pair,bid,ask\n2026-02-02,EURUSD,2,1\n", LONG, "f.csv, line 2, bid: 2.0 is above the ask, 1.0"),
        ("date,pair,bid,ask\n2026-02-02,EURUSD,2,\n", LONG, "f.csv, line 2, ask: is missing, and there is no rate"),
        ("date,pair,rate,bid\n2026-02-02,EURUSD,1,2\n", LONG, "f.csv, line 2, rate: 1.0 is not between bid and ask"),
    ],
)
def test_what_is_wrong_is_told_by_file_line_and_field(
    tmp_path: Path, text: str | bytes, spec: dict[str, Any], words: str
) -> None:
    """Each with what is wrong, and nothing of the file is taken."""
    assert refusal(tmp_path, text, **spec)[0].startswith(words)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By the path that was declared."""
    with pytest.raises(FileRefused, match=r"gone.csv: cannot be read: No such file"):
        load(tmp_path / "gone.csv", DailyFile(**WIDE), "gone.csv", TODAY)


def test_a_few_bad_lines_may_be_refused_and_the_others_taken(tmp_path: Path) -> None:
    """As many as are allowed; every one of them is counted, and the first twenty are told."""
    rows = [f"2025-{1 + n // 28:02}-{1 + n % 28:02},{'x' if n % 2 else n + 1}" for n in range(100)]
    text = "Date,USD\n" + "\n".join(rows)
    found = loaded(tmp_path, text, **WIDE, bad_rows_max=50)
    assert (found.count, len(found.problems), len(found.history.dates)) == (50, PROBLEMS_MAX, 50)
    assert [each.line for each in found.problems[:3]] == [3, 5, 7]
    with pytest.raises(FileRefused) as caught:
        loaded(tmp_path, text, **WIDE, bad_rows_max=49)
    assert caught.value.count == 50


@settings(deadline=None)
@given(
    st.dictionaries(
        st.dates(dt.date(1999, 1, 1), TODAY),
        st.lists(st.one_of(st.none(), st.floats(1e-6, 1e6)), min_size=3, max_size=3),
        min_size=1,
        max_size=20,
    )
)
def test_csv_and_parquet_wide_and_long_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, rates: dict[dt.date, list[float | None]]
) -> None:
    """However a table is written, its rates are the same to the last bit, and so are their digests."""
    codes = ["USD", "JPY", "GBP"]
    rates[TODAY] = [1.25, 150.0, 0.8]
    folder = tmp_path_factory.mktemp("daily")
    wide = ["date," + ",".join(codes)]
    long = ["date,base,counter,rate"]
    for day, row in rates.items():
        wide.append(f"{day}," + ",".join("" if each is None else repr(each) for each in row))
        long += [f"{day},EUR,{code},{each!r}" for code, each in zip(codes, row, strict=True) if each is not None]
    found = [loaded(folder, "\n".join(lines), **kind) for lines, kind in ((wide, WIDE), (long, LONG | {"base": "EUR"}))]
    columns = {code: [row[place] for row in rates.values()] for place, code in enumerate(codes)}
    for dates in (list(rates), [dt.datetime.combine(day, dt.time()) for day in rates], [str(day) for day in rates]):
        pq.write_table(pa.table({"date": dates, **columns}), folder / "f.csv")
        found.append(load(folder / "f.csv", DailyFile(**WIDE), "f.csv", TODAY))
    known = [day for day, row in sorted(rates.items()) if any(each is not None for each in row)]
    for each in found:
        history = each.history
        assert history.dates.tolist() == known
        for place, code in enumerate(codes):
            wanted = [rates[day][place] for day in known if rates[day][place] is not None]
            assert days(history, "EUR", code).rates.tolist() == wanted
        assert history.digest == found[0].history.digest


def test_the_bank_s_own_file_is_a_wide_file(tmp_path: Path) -> None:
    """Declared as a source of its own it gives the rates of "ecb", bit by bit."""
    bank = ecb.load()
    lines = ["Date," + ",".join(bank.currencies)]
    for day, row in zip(bank.dates.tolist(), bank.rates.tolist(), strict=True):
        lines.append(f"{day}," + ",".join("" if math.isnan(each) else repr(each) for each in row))
    history = loaded(tmp_path, "\n".join(lines), bank.dates[-1].item(), **WIDE).history
    assert history.digest == bank.digest


class Stand:
    """Sources with one declared file, looked at by the test."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "f.csv"
        self.sources = DailySources(
            ecb.parse("Date,USD\n2020-01-02,1.1\n", "bank"),
            "bank.zip",
            {"desk": DailyFile(**WIDE)},
            folder,
            structlog.get_logger(),
            lambda: dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
        )
        self._written = 0

    def write(self, text: str) -> None:
        """Writes the file anew, at another time each."""
        self._written += 1
        self.path.write_text(text)
        os.utime(self.path, (self._written, self._written))

    def rates(self) -> list[float]:
        """What is answered of EUR/USD."""
        return days(self.sources.history("desk"), "EUR", "USD").rates.tolist()

    def told(self) -> tuple[bool, list[str]]:
        """Whether the newest content was refused, and why."""
        (_, desk) = sorted((each for each in self.sources.all), key=lambda each: each.name == "desk")
        return desk.refused, [str(each) for each in desk.problems]


async def test_what_is_good_stays_until_something_better_comes(tmp_path: Path) -> None:
    """A wrong file, a missing one and one that is still being written change nothing; the reasons are told."""
    stand = Stand(tmp_path)
    await stand.sources.look()
    with pytest.raises(NoRates, match="is not there"):
        stand.sources.history("desk")
    stand.write("Date,USD\n2026-02-02,1.1\n")
    await stand.sources.look()
    assert stand.rates() == [1.1]
    stand.write("Date,USD\n2026-02-02,1.1\n2026-02-03,1.2\n")
    await stand.sources.look()
    assert stand.rates() == [1.1]
    await stand.sources.look()
    assert (stand.rates(), stand.told()) == ([1.1, 1.2], (False, []))
    stand.write("Date,USD\n2026-02-02,1.1\n2026-02-03,1.2\n2026-02-04,-1\n")
    for _ in range(3):
        await stand.sources.look()
    assert stand.rates() == [1.1, 1.2]
    assert stand.told() == (True, ["f.csv, line 4, USD: -1.0 is not positive and finite"])
    stand.path.unlink()
    await stand.sources.look()
    assert stand.rates() == [1.1, 1.2]
    assert stand.told() == (True, ["f.csv: is not there, or may not be read"])
    stand.write("Date,USD\n2026-02-05,1.5\n")
    await stand.sources.look()
    assert (stand.rates(), stand.told()) == ([1.5], (False, []))


async def test_a_source_is_found_by_its_name(tmp_path: Path) -> None:
    """Without a name it is the European Central Bank; a name that was not declared is none."""
    stand = Stand(tmp_path)
    stand.write("Date,USD\n2026-02-02,1.5\n")
    await stand.sources.look()
    assert stand.sources.history("") is stand.sources.history("ecb")
    assert stand.rates() == [1.5]
    with pytest.raises(UnknownSource):
        stand.sources.history("nobody")
