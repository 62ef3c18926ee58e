"""Cursors of price streams: they come back as they went, and what is none is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2
from services.pricing.price_cursor import CursorUnknown, Sent, Wanted, mark_of

NAMES = ["EUR/USD", "USD/JPY", "GBP/USD"]


def wanted(*names: str, market: str = "house", cursor: str = "") -> Wanted:
    """A wish for spot of some pairs."""
    products = [product_pb2.Product(instrument=name, spot=product_pb2.Spot(notional=1)) for name in names]
    return Wanted.of(pb.StreamPricesRequest(products=products, market=market, resume_cursor=cursor))


def quote(**other: object) -> quote_pb2.Quote:
    """A live quote."""
    values = {"instrument": "EUR/USD", "bid": 1.1, "ask": 1.2, "sequence": 5} | other
    return quote_pb2.Quote(health=quote_pb2.QUOTE_HEALTH_LIVE, **values)


@given(
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=50),
    version=st.integers(1, 2**63 - 1),
    marks=st.dictionaries(st.sampled_from(NAMES), st.binary(min_size=6, max_size=6)),
)
def test_a_cursor_comes_back_as_it_went(names: list[str], version: int, marks: dict[str, bytes]) -> None:
    """Version and marks of the instruments, however often each is wanted, within the contract's length."""
    sent = Sent(wanted(*names), version, marks)
    text = sent.cursor()
    assert len(text) <= 1024
    back = Sent.of(wanted(*names, cursor=text))
    assert back.version == version
    assert back.marks == {name: marks.get(name, bytes(6)) for name in names}
    assert back.cursor() == text


def test_fifty_instruments_find_room() -> None:
    """The longest cursor that a stream can have is shorter than what a request may carry."""
    names = [f"{chr(65 + i // 26)}{chr(65 + i % 26)}A/USD" for i in range(50)]
    text = Sent(wanted(*names), 2**63, {}).cursor()
    assert len(text) <= 1024
    assert len(Sent.of(wanted(*names, cursor=text)).marks) == 50


@pytest.mark.parametrize(
    "other", [wanted("EUR/USD", market="other"), wanted("USD/JPY"), wanted("EUR/USD", "USD/JPY")], ids=str
)
def test_a_cursor_of_another_stream_is_refused(other: Wanted) -> None:
    """Other products or another market: what it marks would mean something else."""
    with pytest.raises(CursorUnknown, match="other products"):
        Sent.of(wanted("EUR/USD", cursor=Sent(other, 3, {}).cursor()))


@pytest.mark.parametrize("text", ["A", "AAAA", "!!!!", "ä", Sent(wanted("EUR/USD"), 1, {}).cursor()[:-4]])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Cut, mistyped or made up."""
    with pytest.raises(CursorUnknown, match="gave out"):
        Sent.of(wanted("EUR/USD", cursor=text))


def test_a_mark_tells_quotes_apart() -> None:
    """By price, number and health."""
    stale = quote()
    stale.health = quote_pb2.QUOTE_HEALTH_STALE
    marks = {mark_of(each) for each in ([quote()], [quote(bid=1.11)], [quote(sequence=6)], [stale], [quote(), stale])}
    assert len(marks) == 5
    assert mark_of([quote()]) == mark_of([quote()])
