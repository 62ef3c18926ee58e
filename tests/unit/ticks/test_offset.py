"""Which clock a dataset was written by."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crossrate.ticks.clock import HOUR, MINUTE, SECOND, WEEK, Clock
from crossrate.ticks.columns import Ticks
from crossrate.ticks.offset import estimate_offset

PIP = 1e-4


def ns(text: str) -> int:
    """A moment in nanoseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def market(begin: str, weeks: int, step: int = HOUR, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Times in UTC, the market's hours alone, and mids that walk."""
    times = np.arange(ns(begin), ns(begin) + weeks * WEEK, step)
    opened = (times // SECOND - 3 * 86400) % (7 * 86400)
    # Sunday 22:00 to Friday 21:00: 1970 began on a Thursday.
    times = times[opened < 5 * 86400]
    return times, 1.3 + np.cumsum(np.random.default_rng(seed).normal(0, 5 * PIP, len(times)))


def quotes(times: np.ndarray, mids: np.ndarray, spread: float, seed: int) -> Ticks:
    """Quotes with a little noise around the mids."""
    noise = np.random.default_rng(seed).normal(0, 0.1 * PIP, len(mids))
    return Ticks.of(times, mids + noise - spread / 2, mids + noise + spread / 2)


@pytest.mark.parametrize(
    "clock",
    ["UTC", "UTC-05:00", "UTC+09:00", "Europe/Athens", "Europe/London", "America/New_York", "America/New_York+07:00"],
)
def test_a_clock_is_found_and_named(clock: str) -> None:
    """Over a year and a half each clock can be told from all others."""
    times, mids = market("2014-01-06", 80)
    reference = quotes(times, mids, 2 * PIP, 1)
    local = quotes(Clock.parse(clock).local(times), mids + 0.7 * PIP, 1 * PIP, 2)
    found = estimate_offset(local, reference)
    assert str(found.clock) == clock
    assert found.spans[0].agreeing == found.spans[0].weeks == len(found.weeks)
    assert found.residual_pips < 0.2
    assert found.confidence > 0.9


def test_a_clock_that_was_changed_is_found_in_spans() -> None:
    """Each span has its clock; there is no one clock, and asking for it says so."""
    times, mids = market("2014-01-06", 80)
    reference = quotes(times, mids, 2 * PIP, 1)
    moved = ns("2014-11-22T12:00:00")
    local = np.where(times < moved, Clock("Europe/Berlin").local(times), Clock("Europe/Athens").local(times))
    found = estimate_offset(quotes(local, mids, PIP, 2), reference)
    assert [str(each.clock) for each in found.spans] == ["Europe/Berlin", "Europe/Athens"]
    assert abs(found.spans[0].end - moved) < WEEK
    with pytest.raises(ValueError, match="Europe/Berlin, then Europe/Athens"):
        _ = found.clock


def test_what_a_short_dataset_cannot_tell_is_said() -> None:
    """A week in May fits a fixed offset and every zone that has it: the fixed one is named, the others are equals."""
    times, mids = market("2014-05-05", 1, MINUTE)
    reference = quotes(times, mids, 2 * PIP, 1)
    found = estimate_offset(quotes(times + 3 * HOUR, mids, PIP, 2), reference)
    assert str(found.clock) == "UTC+03:00"
    assert "Europe/Athens" in map(str, found.spans[0].equals)
    assert found.cell_ns == MINUTE


def test_half_hours_are_found_in_quotes() -> None:
    """Offsets are tried in steps of 15 minutes where quotes are dense enough."""
    times, mids = market("2014-05-05", 1, MINUTE)
    found = estimate_offset(quotes(times + 5 * HOUR + 30 * MINUTE, mids, PIP, 2), quotes(times, mids, PIP, 1))
    assert str(found.clock) == "UTC+05:30"


def test_bars_of_one_side_suffice() -> None:
    """Against mids: the half spread between them is a bias, which is taken off."""
    times, mids = market("2014-05-05", 4)
    reference = quotes(times, mids, 2 * PIP, 1)
    bid = Ticks.of(times - 5 * HOUR, mids - PIP, np.full(len(mids), np.nan))
    assert str(estimate_offset(bid, reference).clock) == "UTC-05:00"


def test_other_prices_have_no_confidence() -> None:
    """A dataset that has nothing to do with the reference stands out nowhere."""
    times, mids = market("2014-05-05", 12)
    _, others = market("2014-05-05", 12, seed=99)
    found = estimate_offset(quotes(times, others, PIP, 2), quotes(times, mids, PIP, 1))
    assert found.confidence < 0.5
    assert found.residual_pips > 5


def test_too_little_in_common_is_an_error() -> None:
    """Another month, or hardly any rows."""
    times, mids = market("2014-05-05", 1)
    with pytest.raises(ValueError, match="share fewer than 20 cells"):
        estimate_offset(quotes(times, mids, PIP, 2), quotes(times + 60 * WEEK, mids, PIP, 1))
    with pytest.raises(ValueError, match="no quotes"):
        estimate_offset(quotes(times[:0], mids[:0], PIP, 2), quotes(times, mids, PIP, 1))


def test_a_row_that_strayed_by_decades_costs_nothing() -> None:
    """Weeks with a few rows are left out, and so is what lies between: two weeks from a Monday on meet three."""
    times, mids = market("2014-05-05", 2, MINUTE)
    times, mids = np.concatenate([[0], times, [ns("2099-01-01")]]), np.concatenate([[1.0], mids, [1.0]])
    reference = quotes(times, mids, 2 * PIP, 1)
    found = estimate_offset(quotes(times + 3 * HOUR, mids, PIP, 2), reference)
    assert str(found.clock) == "UTC+03:00"
    assert len(found.weeks) == 3
