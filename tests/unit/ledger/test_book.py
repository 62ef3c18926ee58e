"""Books against a naive ledger: quantities, profit, flows, cash, and what is rebuilt from entries."""

from __future__ import annotations

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.ledger.domain import amounts
from services.ledger.domain.entry import BookingFault, Entry, Kind
from tests.unit.ledger.steps import PAIRS, Machine, run

QUANTITIES = strategies.integers(-9, 9).filter(bool)
PRICES = strategies.integers(1, 99)
DEALS = strategies.lists(strategies.tuples(QUANTITIES, PRICES, strategies.integers(0, 3)), min_size=1, max_size=2)


class Books(RuleBasedStateMachine):
    """Any order of fills, cancels, corrections and transfers."""

    marks = Bundle("marks")

    @initialize(average=strategies.booleans(), hedging=strategies.booleans())
    def begin(self, average: bool, hedging: bool) -> None:
        """An account of each kind."""
        self.machine = Machine(average, hedging)
        self.then: dict[int, bytes] = {}

    @rule(pair=strategies.sampled_from(PAIRS), where=strategies.sampled_from("ab"), deals=DEALS)
    def trade(self, pair: str, where: str, deals: list[tuple[int, int, int]]) -> None:
        """A fill."""
        self.machine.trade(pair, where, deals, len(deals) - 1)

    @precondition(lambda self: self.machine.naive.trades)
    @rule(which=strategies.integers(0, 99))
    def cancel(self, which: int) -> None:
        """A fill is taken back."""
        self.machine.cancel(which)

    @precondition(lambda self: self.machine.naive.trades)
    @rule(which=strategies.integers(0, 99), quantity=QUANTITIES, price=PRICES)
    def correct(self, which: int, quantity: int, price: int) -> None:
        """A fill is changed."""
        self.machine.correct(which, quantity, price)

    @rule(currency=strategies.sampled_from(["USD", "EUR"]), amount=QUANTITIES)
    def move(self, currency: str, amount: int) -> None:
        """Money moves."""
        self.machine.move(currency, amount)

    @rule()
    def remember(self) -> None:
        """The book of this moment, to be found again from the entries."""
        self.then[len(self.machine.entries)] = self.machine.check_rebuilt()

    @rule()
    def look_back(self) -> None:
        """Every book that was remembered is what the entries until then make."""
        for until, encoded in self.then.items():
            assert self.machine.check_rebuilt(until) == encoded

    @invariant()
    def agree(self) -> None:
        """The two agree."""
        self.machine.check()


Books.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestBooks = Books.TestCase


@pytest.mark.parametrize("seed", [1, 2])
def test_long_lives_agree(seed: int) -> None:
    """Thousands of random steps end as the naive ledger does, and every book is found again from its entries."""
    assert run(1500, seed) == 1500


def test_a_fill_that_never_was_cannot_be_taken_back() -> None:
    """A cancel of an unknown fill is refused, with its id."""
    machine = Machine()
    machine.trade("EUR/USD", "", [(1, 1, 0)])
    entry = Entry("alpha", Kind.TRADE_CANCEL, "x", 0, trade=machine.naive.trades[0], cancelled_trade_id="never")
    with pytest.raises(BookingFault, match="never"):
        machine.book.book(entry, lambda key: machine.history.setdefault(key, []))


@pytest.mark.parametrize("text", ["0", "1.5", "-0.00000000000001", "123456789012345678.12345678901234"])
def test_amounts_are_exact(text: str) -> None:
    """A decimal is read and told without a change."""
    assert amounts.money_text(amounts.money(text)) == text


@pytest.mark.parametrize("text", ["", "-", "1e3", "nan", "0.000000000000001", "١"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """More places than there are, and what is no decimal, is a ValueError."""
    with pytest.raises(ValueError, match="decimal"):
        amounts.money(text)
