"""Hours at which releases may go on."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.control.releases.domain import Kind, decide
from services.control.releases.schedule import Schedule
from services.control.releases.specification import SpecificationError, read
from tests.unit.control.test_release_domain import NOW, WELL, after, release

LONDON = "Mon-Fri 08:00-16:00 Europe/London"


def utc(text: str) -> dt.datetime:
    """A time in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("schedule", "time", "is_open"),
    [
        (LONDON, "2026-03-02T08:00", True),
        (LONDON, "2026-03-02T07:59", False),
        (LONDON, "2026-03-02T16:00", False),
        (LONDON, "2026-03-01T12:00", False),
        (LONDON, "2026-07-01T07:00", True),
        (LONDON, "2026-07-01T15:30", False),
        ("Sun 21:00-06:00 UTC", "2026-03-01T20:59", False),
        ("Sun 21:00-06:00 UTC", "2026-03-01T21:00", True),
        ("Sun 21:00-06:00 UTC", "2026-03-02T05:59", True),
        ("Sun 21:00-06:00 UTC", "2026-03-03T05:59", False),
        ("Sat-Mon 00:00-24:00 UTC", "2026-03-01T23:59", True),
        ("Sat-Mon 00:00-24:00 UTC", "2026-03-03T00:00", False),
        ("Mon 08:00-09:00, Tue 10:00-11:00 Asia/Tokyo", "2026-03-03T01:30", True),
    ],
)
def test_a_schedule_is_by_the_clock_on_the_wall(schedule: str, time: str, is_open: bool) -> None:
    """Summer and winter, over midnight and over the end of the week."""
    assert Schedule.parse(schedule).is_open(utc(time)) is is_open


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("Mon-Fri 08:00-16:00", "no time zone"),
        ("Mon-Fri 08:00-16:00 Middle/Earth", "no time zone"),
        ("Mon-Fri 08:00-16:00 ../../etc/passwd", "no time zone"),
        ("Mo-Fr 08:00-16:00 UTC", "no span of hours"),
        ("Mon-Fry 08:00-16:00 UTC", "Fry is no day"),
        ("Mon-Xyz 08:00-16:00 UTC", "Xyz is no day"),
        ("Mon 08:00-08:00 UTC", "is empty"),
        ("Mon 08:00-25:00 UTC", "no time of day"),
        (", ".join(["Mon 08:00-09:00"] * 21) + " UTC", "more than 20"),
    ],
)
def test_what_is_no_schedule_says_how_one_looks(schedule: str, words: str) -> None:
    """In the specification, at the step's gate."""
    with pytest.raises(ValueError, match=words):
        Schedule.parse(schedule)
    step: dict[str, Any] = {"weight_percent": 5, "duration": "1m", "gate": {"schedule": schedule}}
    with pytest.raises(SpecificationError) as error:
        read({"service": "reference", "candidate": {"version": "2"}, "steps": [step]}, ["reference"], [])
    assert any(field.startswith("steps[0].gate") and words in why for field, why in error.value.problems)


def test_a_step_goes_on_when_its_hours_begin() -> None:
    """It was over long before; a word goes on at any hour."""
    steps = [{"weight_percent": 5, "duration": "1m", "gate": {"schedule": LONDON}}]
    # 12:00 in London, a Monday.
    walked = after(release(steps=steps), (1, WELL))
    assert decide(walked, WELL, NOW + dt.timedelta(minutes=2)).kind is Kind.PROMOTING
    for hours, goes_on in ((4.1, False), (19.9, False), (20.1, True)):
        decided = decide(walked, WELL, NOW + dt.timedelta(hours=hours))
        assert (decided is not None) is goes_on
