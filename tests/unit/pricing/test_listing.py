"""Filters of lists and tokens of pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.pricing.domain.listing import COMPARISONS_MAX, Comparison, Type, key_of, parsed, token_after
from services.pricing.domain.refusal import Refused

FIELDS = {"name": Type.TEXT, "version": Type.NUMBER, "create_time": Type.TIME}


def test_a_filter_is_comparisons_that_all_hold() -> None:
    """Texts with and without quotes, numbers, times with and without a zone, with and without room."""
    assert parsed("", FIELDS) == []
    found = parsed('name = "a \\"b\\"" AND version>=3 AND create_time < "2026-01-31T12:00:00+01:00"', FIELDS)
    assert found == [
        Comparison("name", "=", 'a "b"'),
        Comparison("version", ">=", 3),
        Comparison("create_time", "<", datetime.fromisoformat("2026-01-31T11:00:00+00:00")),
    ]
    assert parsed("create_time > 2026-01-31", FIELDS)[0].value == datetime(2026, 1, 31, tzinfo=UTC)
    assert parsed("name=house", FIELDS) == [Comparison("name", "=", "house")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name", "comparison"),
        ("name = a OR name = b", "AND"),
        ("(name = a)", "comparison"),
        ("name > a", "= alone"),
        ("version = x", "whole number"),
        ("version = 9223372036854775808", "whole number"),
        ("create_time > yesterday", "a time"),
        ("content = 1", "no field"),
        ('name = "open', "comparison"),
        ("name = a ANDversion = 1", "AND"),
        (" AND ".join(["version = 1"] * (COMPARISONS_MAX + 1)), "more than"),
        ("name = a AND", "comparison"),
    ],
)
def test_what_is_no_filter_is_refused(text: str, says: str) -> None:
    """The words say where it ends to be one, and what would be."""
    with pytest.raises(Refused, match=says) as caught:
        parsed(text, FIELDS)
    assert caught.value.field == "filter"


def test_a_token_belongs_to_its_filter() -> None:
    """It gives its key to the same filter; changed, of another filter or made up it is refused."""
    token = token_after(["a", "1"], "name = a")
    assert key_of(token, "name = a", 2) == ["a", "1"]
    assert key_of("", "name = a", 2) is None
    for wrong, text, length in (
        (token, "name = b", 2),
        (token[:-2], "name = a", 2),
        ("nonsense!", "", 2),
        (token, "name = a", 3),
    ):
        with pytest.raises(Refused) as caught:
            key_of(wrong, text, length)
        assert caught.value.field == "page_token"
