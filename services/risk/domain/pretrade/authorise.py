"""Whether orders may be entered: each is reserved first, then looked at with everything before it, and released if not.

**What a reduction is.** An order reduces if the account's position, with everything that works on the order's side and
the order itself filled and nothing of the other side, would not be taken beyond zero. What works on the other side is
left out: it could only leave more to reduce. A reduce-only order reduces if it is on the side that closes the position
and not larger than that, whatever else works, since trading cuts it to what is left. In a hedging account an order that
names a position reduces by that position alone. No limit refuses a reduction, and no mode of the kill switch; a halted
or restricted instrument, a closed market, a closed account and an own order on the other side do.

**What does not add is not refused.** Sums that are above their limit already refuse an order only if it makes them
larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.risk.domain.pretrade import words
from services.risk.domain.pretrade.accounts import ACCOUNT_CLOSE_ONLY, ACCOUNT_CLOSED, Account, Book
from services.risk.domain.pretrade.accounts import ACTIVE as ACCOUNT_ACTIVE
from services.risk.domain.pretrade.amounts import RATE_SCALE, SCALE, price_text
from services.risk.domain.pretrade.checks import Found, Plan, Plans, Row
from services.risk.domain.pretrade.gate import Gate
from services.risk.domain.pretrade.limits import RESTRICTED, Check
from services.risk.domain.pretrade.market import HALTED, REDUCE_ONLY, TRADING, Instrument
from services.risk.domain.pretrade.orders import Kind, Order, Working
from services.risk.domain.pretrade.reserving import Change, reserve, undo
from services.risk.domain.pretrade.sums import Sums, compare

_BP = 10_000 * SCALE
MARGIN_SCALE = 1_000_000


@dataclass(slots=True)
class Outcome:
    """What became of one order. Money in ten-thousandths of the account's currency; None where it is not known."""

    authorised: bool
    reduces: bool
    checks: list[Found]
    instrument: Instrument | None = None
    currency: str = ""
    equity: int | None = None
    margin_before: int = 0
    margin_after: int = 0


class Authoriser:
    """Checks and reserves."""

    def __init__(self, book: Book, plans: Plans) -> None:
        self._book = book
        self._plans = plans
        self._sums = Sums(book)
        self.gate = Gate()

    def authorise(
        self,
        orders: Sequence[tuple[Order, bool]],
        groups: Sequence[int],
        now_ns: int,
        *,
        validate_only: bool = False,
    ) -> list[Outcome]:
        """Checks orders in their order; what passes stays reserved unless only validated.

        Args:
            orders: each, and whether it amends the one of the same id.
            groups: of each the number of its atomic group, 0 for none; may be empty.
        """
        book = self._book
        outcomes: list[Outcome] = []
        done: list[Change | None] = []
        for order, amends in orders:
            outcome, change = self._one(order, amends, now_ns)
            outcomes.append(outcome)
            done.append(change)
        if any(groups):
            failed = {
                group for group, outcome in zip(groups, outcomes, strict=True) if group and not outcome.authorised
            }
            for place in reversed(range(len(outcomes))):
                if groups[place] in failed and (change := done[place]) is not None:
                    undo(book, change)
                    done[place] = None
                    outcomes[place].authorised = False
        if validate_only:
            for change in reversed(done):
                if change is not None:
                    undo(book, change)
        return outcomes

    def _one(self, order: Order, amends: bool, now_ns: int) -> tuple[Outcome, Change | None]:
        book = self._book
        account = book.account(order.account)
        if order.instrument not in book.market.instruments:
            row = Row(Check.INSTRUMENT, f"instrument:{order.instrument}", None, order.instrument)
            text = f"instrument {order.instrument} is none of the platform's, or is dealt no more: see ListInstruments"
            return Outcome(False, False, [(row, False, None, None, text)]), None
        plan = self._plans.plan(account, order.strategy, order.venue, order.instrument)
        group = account.group.fresh()
        gross_before = group.gross
        change = reserve(book, account, order, amends, plan.touched)
        working = change.working
        reduces = self._reduces(plan, order, working)
        found: list[Found] = []
        good = self._may(plan, order, reduces, now_ns, found)
        adds = not reduces and change.added > 0
        if not reduces:
            good &= self._price(plan, order, now_ns, found)
        if adds:
            good &= self._sums.sizes(plan, order, found)
            good &= self._sums.sums(plan, change, found)
            if change.is_new:
                good &= self._pace(plan, order, now_ns, found, change if good else None)
        good &= self._own(plan, order, found)
        rate = book.market.rates.get(account.currency, 0)
        outcome = Outcome(good, reduces, found, plan.instrument, account.currency)
        if rate:
            before = gross_before * account.margin_rate // MARGIN_SCALE
            after = group.gross * account.margin_rate // MARGIN_SCALE
            if rate != RATE_SCALE:
                before, after = before * RATE_SCALE // rate, after * RATE_SCALE // rate
            outcome.margin_before, outcome.margin_after = before, after
            outcome.equity = self.equity(account, rate)
            if adds and plan.margin is not None:
                good &= self._margin(plan.margin, outcome, account, found)
        elif adds and plan.margin is not None:
            text = f"there is no fresh price for {account.currency or 'the currency of the account'}: wait for a quote"
            found.append((plan.margin, False, None, None, text))
            good = False
        if good:
            if plan.selves and order.rests:
                for _, resting in plan.selves:
                    resting.put(order.order_id, order.instrument, order.side, order.limit_price)
            return outcome, change
        outcome.authorised = False
        undo(book, change)
        found.sort(key=lambda each: each[1])
        return outcome, None

    def _reduces(self, plan: Plan, order: Order, working: Working) -> bool:
        slot = plan.slot
        direction = working.direction
        held = slot.position
        if order.position_id:
            held = sum(
                quantity
                for (instrument, position, _), quantity, _ in plan.account.held()
                if position == order.position_id and instrument == order.instrument
            )
            return held * direction < 0 and working.wanted <= abs(held)
        if direction > 0:
            return held < 0 and (slot.buys <= -held or (order.reduce_only and working.wanted <= -held))
        if direction < 0:
            return held > 0 and (slot.sells <= held or (order.reduce_only and working.wanted <= held))
        return False

    def _may(self, plan: Plan, order: Order, reduces: bool, now_ns: int, found: list[Found]) -> bool:
        """Whether the order may be entered at all: kill switch, account, instrument, hours."""
        account, instrument = plan.account, plan.instrument
        if (
            not self.gate.rules
            and account.listed
            and account.status == ACCOUNT_ACTIVE
            and instrument.status == TRADING
            and self._book.market.statuses_known
            and not plan.uses
            and self._book.market.is_open(instrument, now_ns)
        ):
            found += plan.passes
            return True
        texts = ["", "", "", ""]
        rule = self.gate.reaching(
            account=account.name,
            desk=account.desk,
            strategy=order.strategy,
            instrument=order.instrument,
            venue=order.venue,
        )
        if rule is not None and not reduces:
            texts[0] = f"the kill switch is at {rule.mode.name} for {rule}: only what reduces a position is taken"
            if rule.kind == "market":
                texts[0] += "; ListBreaks says whether the books of ours and the venue's differ there"
        if not account.listed:
            texts[1] = f"the ledger has no account {account.name}, or cannot be asked: open it, or try again"
        elif account.status == ACCOUNT_CLOSED:
            texts[1] = f"account {account.name} is closed"
        elif account.status == ACCOUNT_CLOSE_ONLY and not reduces:
            texts[1] = f"account {account.name} is close-only: only what reduces a position is taken"
        if not self._book.market.statuses_known:
            texts[2] = "reference has not told which instruments may be traded: try again"
        elif instrument.status == HALTED:
            texts[2] = f"{instrument.name} is halted: wait until it is opened"
        elif instrument.status == REDUCE_ONLY and not reduces:
            texts[2] = f"{instrument.name} is close-only: only what reduces a position is taken"
        if not self._book.market.is_open(instrument, now_ns):
            texts[3] = f"the market of {instrument.name} is closed: see GetTradingSession for when it opens"
        for row, text in zip((plan.kill, plan.who, plan.status, plan.hours), texts, strict=True):
            found.append((row, not text, None, None, text))
        good = not any(texts)
        for row, limit in plan.uses:
            passed = limit.use != RESTRICTED and reduces
            use = "restricted" if limit.use == RESTRICTED else "close-only"
            text = "" if passed else f"{instrument.name} is {use} for {row.scope}: trade another one"
            found.append((row, passed, None, None, text))
            good &= passed
        return good

    def _price(self, plan: Plan, order: Order, now_ns: int, found: list[Found]) -> bool:
        """A LIVE quote to refer to, and the price's distance beyond it."""
        instrument = plan.instrument
        why = self._book.market.why_not_live(instrument, now_ns)
        if not why:
            for group, _ in plan.touched:
                if group.fresh().unpriced:
                    why = f"{group.unpriced}, which is held or works, has no fresh price"
        text = f"{why}: wait for a LIVE quote of {instrument.name}" if why else ""
        found.append((plan.quote, not why, None, None, text))
        if why:
            return False
        reference = price = 0
        if order.kind == Kind.LIMIT and not order.is_swap:
            reference, price = (instrument.ask if order.side > 0 else instrument.bid), order.limit_price
        elif order.kind == Kind.STOP_LIMIT:
            reference, price = order.stop_price, order.limit_price
        good = True
        if reference:
            beyond = (price - reference) * order.side
            # Rounded up, so that nothing beyond the collar looks as if it were within.
            value = -(-beyond * _BP // reference) if beyond > 0 else 0
            for row in plan.collars:
                limit = row.limit or 0
                passed = value <= limit
                text = "" if passed else f"{words.failed(row, limit, value)} ({price_text(reference)})"
                found.append((row, passed, limit, value, text))
                good &= passed
        return good

    def _pace(self, plan: Plan, order: Order, now_ns: int, found: list[Found], change: Change | None) -> bool:
        """Rates; what passes is counted in `change`."""
        good = True
        for row, window in plan.rates:
            good &= compare(row, (window.at(now_ns) + 1) * SCALE, found)
        alike, key = plan.alike, None
        if alike is not None and plan.duplicate is not None:
            prices = order.limit_price, order.stop_price
            key = order.account, order.instrument, order.side, order.kind, order.quantity, *prices
            good &= compare(plan.duplicate, (alike.at(key, now_ns) + 1) * SCALE, found)
        if good and change is not None:
            for window in plan.windows:
                window.add(now_ns)
            change.windows = plan.windows
            if alike is not None:
                alike.add(key, now_ns)
                change.alike = alike, key
        return good

    def _own(self, plan: Plan, order: Order, found: list[Found]) -> bool:
        if not plan.selves:
            return True
        instrument, side = plan.instrument, order.side
        if order.is_swap:
            price = 0
        elif order.kind == Kind.LIMIT:
            price = order.limit_price
        elif order.kind == Kind.MARKET:
            price = instrument.ask if side > 0 else instrument.bid
        else:
            return True
        good = True
        for row, resting in plan.selves:
            own = resting.crossing(order.instrument, side, price, order.order_id) if price else ""
            text = ""
            if own:
                good = False
                text = f"would deal with the own order {own} of {row.scope}: cancel that first, or change the price"
            found.append((row, not own, None, None, text))
        return good

    def equity(self, account: Account, rate: int) -> int | None:
        """Funds and profit at mids in the account's currency; None if the ledger has not told the funds."""
        if account.funds is None:
            return None
        total = account.group.fresh().profit
        rates = self._book.market.rates
        for currency, amount in account.funds.items():
            known = rates.get(currency)
            if known is None:
                if amount > 0:
                    continue
                return None
            total += amount * known // RATE_SCALE
        return total * RATE_SCALE // rate

    def _margin(self, row: Row, outcome: Outcome, account: Account, found: list[Found]) -> bool:
        if outcome.equity is None:
            text = f"the ledger has not told the funds of {account.name}: wait, or look at the ledger's health"
            found.append((row, False, None, None, text))
            return False
        limit = outcome.equity * (row.limit or 0) // SCALE
        passed = outcome.margin_after <= limit
        text = "" if passed else words.failed(row, limit, outcome.margin_after)
        found.append((row, passed, limit, outcome.margin_after, text))
        return passed
