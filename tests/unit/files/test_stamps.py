"""Times in text."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.files.stamps import layout_of, parse_column, parse_one

FORMS = ("%Y%m%d %H%M%S%f", "%d.%m.%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%fZ", "%H:%M %d %b %Y")


def column(texts: list[str], *forms: str) -> tuple[list[int], list[bool]]:
    """A column of texts parsed at once."""
    data = np.frombuffer("".join(texts).encode(), np.uint8)
    widths = np.array([len(each.encode()) for each in texts], np.int64)
    found, good = parse_column(data, np.cumsum(widths) - widths, widths, forms)
    return found.tolist(), good.tolist()


def ns(moment: datetime) -> int:
    """A moment in nanoseconds."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1000


@settings(deadline=None)
@given(
    form=st.sampled_from(FORMS),
    moments=st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)), min_size=1, max_size=30),
    digits=st.integers(1, 6),
)
def test_a_column_is_parsed_as_each_of_its_texts(form: str, moments: list[datetime], digits: int) -> None:
    """For every format, any number of digits of a second, sorted or not, alike or not."""
    unit = 10 ** (6 - digits)
    moments = [each.replace(tzinfo=UTC, microsecond=each.microsecond // unit * unit) for each in moments]
    if "%S" not in form:
        moments = [each.replace(second=0, microsecond=0) for each in moments]
    fraction = "%f" in form
    texts = [
        each.strftime(form.replace("%f", "") if fraction else form).replace("Z", "")
        + (f"{each.microsecond:06}"[:digits] if fraction else "")
        + ("Z" if form.endswith("Z") else "")
        for each in moments
    ]
    texts = texts + texts[:1] * 3
    moments = moments + moments[:1] * 3
    found, good = column(texts, form)
    assert all(good)
    assert found == [ns(each) for each in moments]
    assert [parse_one(each, (form,)) for each in texts] == found


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("20140230 000000000", "%Y%m%d %H%M%S%f"),
        ("20141301 000000000", "%Y%m%d %H%M%S%f"),
        ("20140508 240000000", "%Y%m%d %H%M%S%f"),
        ("20140508 006000000", "%Y%m%d %H%M%S%f"),
        ("20140508 000060000", "%Y%m%d %H%M%S%f"),
        ("2014O508 000000000", "%Y%m%d %H%M%S%f"),
        ("20140508T000000000", "%Y%m%d %H%M%S%f"),
        ("20140508 00000000x", "%Y%m%d %H%M%S%f"),
        ("19690508 000000000", "%Y%m%d %H%M%S%f"),
        ("21000508 000000000", "%Y%m%d %H%M%S%f"),
        ("08.05.2014 00:00:00.000 GMT*0100", "%d.%m.%Y %H:%M:%S.%f GMT%z"),
        ("08 Mai 2014", "%d %b %Y"),
        ("", "%Y"),
    ],
)
def test_what_is_no_time_is_none(text: str, form: str) -> None:
    """Days that do not exist, hours beyond 23, letters, other delimiters, years without a clock."""
    assert parse_one(text, (form,)) is None


def test_29_february_is_there_in_leap_years_alone() -> None:
    """2000 and 2012 have one, 2014 has none; a column tells them apart."""
    assert column(["20000229", "20120229", "20140229"], "%Y%m%d")[1] == [True, True, False]


def test_an_offset_in_the_text_leads_to_utc() -> None:
    """Dukascopy writes it behind local times."""
    form = "%d.%m.%Y %H:%M:%S.%f GMT%z"
    expected = ns(datetime(2017, 12, 1, 0, 0, 0, 192000, UTC))
    assert parse_one("01.12.2017 01:00:00.192 GMT+0100", (form,)) == expected
    assert parse_one("30.11.2017 18:30:00.192 GMT-0530", (form,)) == expected


def test_seconds_since_1970_may_have_a_fraction() -> None:
    """As OANDA writes them for clients that ask for UNIX times."""
    assert parse_one("1491201560.000000001", ("%s.%f",)) == 1491201560_000000001
    assert parse_one("1491201560", ("%s.%f", "%s")) == 1491201560_000000000


def test_several_formats_may_be_in_one_column() -> None:
    """With and without a fraction, in any order; what has none of them is told."""
    forms = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ")
    found, good = column(["2014-05-08T00:00:08.5Z", "2014-05-08T00:00:09Z", "2014-05-08 00:00:09Z", "soon"], *forms)
    assert good == [True, True, False, False]
    assert found[1] - found[0] == 500_000_000


def test_a_format_that_cannot_be_read_is_refused() -> None:
    """With the directives that can."""
    with pytest.raises(ValueError, match=r"%p cannot be read; known are %Y %m"):
        layout_of("%H:%M %p", 8)
