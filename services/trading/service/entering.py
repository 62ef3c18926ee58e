"""From what a client enters to what the writer takes: parsed, checked, dated."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from decimal import Decimal

from google.type import date_pb2

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.instrument import CONVENTIONS, Convention
from crossrate.basics.pair import Pair
from crossrate.rpc import errors
from crossrate.rpc.call import granted_desk
from services.trading import messages
from services.trading.domain import entry
from services.trading.domain.dates import BadDate, Calendar, Dates
from services.trading.domain.order import BUY, OrderType, Terms
from services.trading.engine.work import NewEntry
from services.trading.peers import Ledger, Quotes


def convention_of(instrument: str, field: str = "instrument") -> Convention:
    """The conventions of an instrument.

    Raises:
        Failure: it is none of the platform's, or is traded no more.
    """
    convention = CONVENTIONS.get(Pair(instrument[:3], instrument[4:]))
    if convention is None:
        turned = CONVENTIONS.get(Pair(instrument[4:], instrument[:3]))
        remedy = f": it is dealt as {turned.pair}" if turned else ": reference's ListInstruments has all there are"
        raise errors.invalid((field, f"there is no instrument {instrument}{remedy}"))
    if convention.last_trade_date is not None:
        raise errors.invalid((field, f"{instrument} was last traded on {convention.last_trade_date}"))
    return convention


class Entering:
    """Makes entries.

    Args:
        new_id: makes ids of orders; they sort by time.
        clock_ns: now, in ns since 1970, UTC.
    """

    def __init__(
        self, ledger: Ledger, quotes: Quotes, calendar: Calendar, new_id: Callable[[], str], clock_ns: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self._quotes = quotes
        self._calendar = calendar
        self._new_id = new_id
        self._clock_ns = clock_ns

    async def entry(
        self, new: order_pb2.NewOrder, entered_by: str, field: str = "order", session: str = ""
    ) -> NewEntry:
        """One order, ready for the writer.

        Raises:
            Failure: INVALID_REQUEST with every field that is wrong, NOT_FOUND for the account or the quote, WRONG_STATE
                for an account or a quote that is closed.
        """
        prefix = f"{field}." if field else ""
        terms, now_ns = messages.terms_of(new), self._clock_ns()
        convention = convention_of(new.instrument, f"{prefix}instrument")
        wrong = messages.zeros_of(new) or entry.problems(terms, convention, now_ns)
        if wrong:
            raise errors.invalid(*((f"{prefix}{name}", words) for name, words in wrong))
        account = await self._ledger.account(new.account)
        if granted_desk("") not in ("", account.desk):
            raise errors.not_found("account", new.account, "it is of another desk")
        may_enter(account, terms, prefix)
        dates = self._dates(new, convention.pair, now_ns, terms, prefix)
        if terms.order_type is OrderType.PREVIOUSLY_QUOTED:
            quote = await self._quoted(new, terms, entered_by, prefix)
            dates = as_quoted(new, dates, quote, prefix)
        order_id = self._new_id()
        hedging = account.position_mode == account_pb2.POSITION_MODE_HEDGING
        image = messages.image_of(new, order_id, dates, entered_by, now_ns, session=session, hedging=hedging)
        key = (new.account, new.client_order_id)
        return NewEntry(new, terms, order_id, image, digest(new), key)

    def _dates(self, new: order_pb2.NewOrder, pair: Pair, now_ns: int, terms: Terms, prefix: str) -> Dates:
        try:
            near = messages.leg_of(new.settlement) if new.HasField("settlement") else None
            far = messages.leg_of(new.far_leg.settlement) if terms.swap else None
            return self._calendar.dates(pair, now_ns, near, far, terms.swap)
        except BadDate as error:
            raise errors.invalid((f"{prefix}{error.field}", str(error))) from None
        except ValueError as error:
            raise errors.invalid((f"{prefix}settlement", str(error))) from None

    async def _quoted(
        self, new: order_pb2.NewOrder, terms: Terms, entered_by: str, prefix: str
    ) -> quote_pb2.ExecutableQuote:
        """What the quote is for is what the order asks for, and it is of who enters the order."""
        quote = await self._quotes.terms(new.quote_id)
        if quote.requested_by not in ("", entered_by):
            raise errors.not_found("quote", new.quote_id, "ask pricing's RequestQuote for one")
        wrong = []
        kind = quote.product.WhichOneof("terms")
        if quote.product.instrument != new.instrument:
            wrong.append(("instrument", f"the quote is for {quote.product.instrument}"))
        if Decimal(quote.amount) != Decimal(new.quantity):
            wrong.append(("quantity", f"the quote is for {quote.amount}: deal that, or ask for another quote"))
        side = quote.offer if terms.side == BUY else quote.bid
        if not side.px:
            wrong.append(("side", "the quote has no price for this side"))
        if kind not in ("spot", "forward", "swap") or (kind == "swap") != terms.swap:
            wrong.append(("quote_id", f"the quote is for a {kind}: it cannot be dealt by this order"))
        if wrong:
            raise errors.invalid(*((f"{prefix}{name}", words) for name, words in wrong))
        if quote.state != quote_pb2.QUOTE_STATE_ACTIVE and not quote.end_comment:
            state = quote_pb2.QuoteState.Name(quote.state).removeprefix("QUOTE_STATE_")
            raise errors.wrong_state(state, f"the quote is {state}: ask pricing for another one")
        return quote


def as_quoted(new: order_pb2.NewOrder, dates: Dates, quote: quote_pb2.ExecutableQuote, prefix: str) -> Dates:
    """The dates of a deal on a quote: the quote's, which the order's own have to be where it names them.

    Raises:
        Failure: INVALID_REQUEST with every date and quantity that is not the quote's.
    """
    if not quote.legs or not quote.legs[0].HasField("value_date"):
        return dates
    near, far = quote.legs[0], quote.legs[-1]
    day, wrong = day_of(near.value_date), []
    named = new.settlement.tenor or new.settlement.HasField("date")
    if named and day != dates.settle:
        words = (
            f"the quote settles on {day}, the order would on {dates.settle}: leave it unset, or ask for another quote"
        )
        wrong.append(("settlement", words))
    later = day_of(far.value_date) if dates.far is not None else None
    if dates.far is not None:
        if later != dates.far:
            wrong.append(("far_leg.settlement", f"the quote's far leg settles on {later}, the order's on {dates.far}"))
        amount = far.amount.lstrip("-")
        if Decimal(new.far_leg.quantity or new.quantity) != Decimal(amount):
            wrong.append(("far_leg.quantity", f"the far leg of the quote is for {amount}: deal that"))
    if wrong:
        raise errors.invalid(*((f"{prefix}{name}", words) for name, words in wrong))
    return Dates(dates.trade, day, later)


def day_of(day: date_pb2.Date) -> dt.date:
    """A date of the contract."""
    return dt.date(day.year, day.month, day.day)


def may_enter(account: account_pb2.Account, terms: Terms, prefix: str) -> None:
    """Nothing for an account that may take an order.

    Raises:
        Failure: WRONG_STATE for a closed one; INVALID_REQUEST for what does not go with how it keeps positions.
    """
    if account.status == account_pb2.ACCOUNT_STATUS_CLOSED:
        raise errors.wrong_state("CLOSED", f"account {account.account} is closed: it never trades again")
    if account.status == account_pb2.ACCOUNT_STATUS_CLOSE_ONLY and not terms.reduce_only:
        words = f"account {account.account} only closes positions: set reduce_only on the order"
        raise errors.wrong_state("CLOSE_ONLY", words)
    hedging = account.position_mode == account_pb2.POSITION_MODE_HEDGING
    if terms.position_id and not hedging:
        raise errors.invalid((f"{prefix}position_id", "the account nets its positions: leave it empty"))
    if terms.reduce_only and hedging and not terms.position_id:
        raise errors.invalid((f"{prefix}position_id", "a reduce_only order of a hedging account names the position"))


def digest(new: order_pb2.NewOrder) -> bytes:
    """What a repetition of an order must have in common."""
    return hashlib.sha256(new.SerializeToString(deterministic=True)).digest()


def body_digest(request: object, *left_out: str) -> bytes:
    """The same of a request, without its id."""
    body = type(request)()
    body.CopyFrom(request)
    for name in ("request_id", *left_out):
        body.ClearField(name)
    return hashlib.sha256(body.SerializeToString(deterministic=True)).digest()


def same_account(account: str, orders: Sequence[order_pb2.NewOrder]) -> None:
    """Nothing if all orders are of one account, each with an id of its own.

    Raises:
        Failure: INVALID_REQUEST with every order that is not.
    """
    wrong, seen = [], set()
    for i, new in enumerate(orders):
        if new.account != account:
            wrong.append((f"orders[{i}].account", f"is {new.account}, not {account}: a list is of one account"))
        if new.client_order_id in seen:
            wrong.append((f"orders[{i}].client_order_id", f"{new.client_order_id} is twice in the list"))
        seen.add(new.client_order_id)
    if wrong:
        raise errors.invalid(*wrong)
