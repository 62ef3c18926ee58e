"""The catalogue: ready answers, order, pages and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.rpc.errors import ErrorReason, Failure
from services.reference.catalogue import Catalogue, Choice
from services.reference.domain import State, Status

EURUSD = Pair("EUR", "USD")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """All instruments as they begin."""
    return Catalogue()


def every(catalogue: Catalogue, choice: Choice, size: int) -> list[str]:
    """All names of a choice, read page by page."""
    names, token = [], ""
    for _ in range(2000):
        page, token = catalogue.page(choice, size, token)
        names += [instrument.name for instrument in page]
        if not token:
            return names
    raise AssertionError("the pages do not end")


@given(st.integers(1, 1000), st.booleans(), st.booleans(), st.sampled_from(["", "JPY", "CYP"]))
def test_pages_hold_every_instrument_once_in_order(size: int, direct_only: bool, ended: bool, currency: str) -> None:
    """Whatever the page size, the pages together are the whole list."""
    choice = Choice(currency, direct_only, ended)
    names = every(CATALOGUE, choice, size)
    assert names == [
        str(pair)
        for pair, c in CONVENTIONS.items()
        if (not currency or currency in pair) and (c.direct or not direct_only) and (ended or c.last_trade_date is None)
    ]


CATALOGUE = Catalogue()


def test_a_page_token_fits_its_field() -> None:
    """A page that is not the last has a token of at most 64 characters."""
    page, token = CATALOGUE.page(Choice(), 100, "")
    assert len(page) == 100
    assert token
    assert len(token) <= 64


@pytest.mark.parametrize("token", ["x", "AAAA", "RVVSL1VTRA", "é", "=====", "AAAAAAAARVVSL1VTRA"])
def test_a_page_token_that_is_not_ours_is_refused(token: str) -> None:
    """The answer names the field."""
    with pytest.raises(Failure) as caught:
        CATALOGUE.page(Choice(), 10, token)
    assert caught.value.reason is ErrorReason.INVALID_REQUEST
    assert caught.value.violations[0].field == "page_token"


def test_a_page_token_of_another_choice_is_refused() -> None:
    """A token belongs to the choice whose answer it came with."""
    _, token = CATALOGUE.page(Choice(), 10, "")
    with pytest.raises(Failure, match="page_token"):
        CATALOGUE.page(Choice(direct_only=True), 10, token)


def test_an_unknown_instrument_is_not_found(catalogue: Catalogue) -> None:
    """The wrong way round it says how the market names the pair."""
    with pytest.raises(Failure, match="the market names it EUR/USD") as caught:
        catalogue.get("USD", "EUR")
    assert caught.value.reason is ErrorReason.NOT_FOUND
    assert caught.value.metadata == {"resource": "instrument", "name": "USD/EUR"}
    with pytest.raises(Failure, match="no instrument 'EUR/XXX'"):
        catalogue.get("EUR", "XXX")
    with pytest.raises(Failure, match="no currency 'XXX'"):
        catalogue.page(Choice("XXX"), 10, "")


def test_an_answer_is_built_once(catalogue: Catalogue) -> None:
    """Two reads of an unchanged instrument give the same message object."""
    assert catalogue.get(*EURUSD) is catalogue.get(*EURUSD)
    assert catalogue.get(*EURUSD).instrument.pip == "0.0001"


def test_a_newer_state_replaces_the_answer_and_an_older_one_does_not() -> None:
    """States may arrive in any order; the newest stays."""
    catalogue = Catalogue([State(EURUSD, Status.REDUCE_ONLY, 2, NOW)])
    assert catalogue.get(*EURUSD).instrument.version == 2
    assert catalogue.apply(State(EURUSD, Status.HALTED, 4, NOW))
    assert not catalogue.apply(State(EURUSD, Status.TRADING, 3, NOW))
    instrument = catalogue.get(*EURUSD).instrument
    assert (instrument.version, instrument.status) == (4, Status.HALTED)
    assert instrument.update_time.ToDatetime(UTC) == NOW


def test_the_currencies_are_in_order_and_say_how_far_they_are_known(catalogue: Catalogue) -> None:
    """42 currencies; the euro's calendar begins in 1999, and an ended one names its successor."""
    currencies = {c.code: c for c in catalogue.currencies.currencies}
    assert list(currencies) == sorted(currencies)
    assert len(currencies) == 42
    assert currencies["EUR"].calendar_first_date.year == 1999
    assert not currencies["EUR"].HasField("last_date")
    assert (currencies["BGN"].successor, currencies["BGN"].successor_rate) == ("EUR", "1.95583")
    assert currencies["JPY"].minor_units == 0
    assert not currencies["KRW"].deliverable
