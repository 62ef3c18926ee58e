"""Every check at its edge: what equals the limit passes, one unit more fails; and what each tells."""

from __future__ import annotations

import pytest

from services.risk.domain.pretrade.accounts import ACCOUNT_CLOSE_ONLY, ACCOUNT_CLOSED
from services.risk.domain.pretrade.amounts import SCALE, quantity_of
from services.risk.domain.pretrade.gate import Gate, Mode, Rule
from services.risk.domain.pretrade.limits import BEGINNING, CLOSE_ONLY, RESTRICTED, Check, Limit, checked
from services.risk.domain.pretrade.market import HALTED, REDUCE_ONLY
from services.risk.domain.pretrade.orders import Kind
from services.risk.domain.refusal import Refused
from tests.unit.risk.pretrade.bench import SECOND_NS, Bench, count, failed, money, of

EDGES = {
    "order quantity": (count("account:alpha", Check.ORDER_QUANTITY, "1000"), "1000", "1001"),
    "order quantity of a venue": (count("venue:sim", Check.ORDER_QUANTITY, "1000"), "1000", "1001"),
    "order notional": (money("platform", Check.ORDER_NOTIONAL, "5000"), "5000", "5001"),
    "order notional in yen": (money("desk:spot", Check.ORDER_NOTIONAL, "500000", "JPY"), "5000", "5001"),
    "position of an account": (count("account:*", Check.POSITION, "7000"), "7000", "7001"),
    "position of a strategy": (count("strategy:carry", Check.POSITION, "7000"), "7000", "7001"),
    "position of the platform in an instrument": (count("instrument:EUR/USD", Check.POSITION, "7000"), "7000", "7001"),
    "currency exposure": (money("account:alpha", Check.CURRENCY_EXPOSURE, "3000"), "3000", "3001"),
    "gross exposure": (money("desk:spot", Check.GROSS_EXPOSURE, "3000"), "3000", "3001"),
    "net exposure": (money("platform", Check.NET_EXPOSURE, "3000"), "3000", "3001"),
    "margin": (count("account:*", Check.MARGIN, "0.001"), "20000", "20001"),
}


@pytest.mark.parametrize("name", list(EDGES))
@pytest.mark.parametrize("side", [1, -1])
def test_the_limit_itself_passes_and_one_unit_more_fails(name: str, side: int) -> None:
    """Nothing else fails, the order is not reserved then, and the check tells limit, value and headroom."""
    limit, within, beyond = EDGES[name]
    bench = Bench(limit)
    other = {"strategy": "carry", "venue": "sim"}
    (good,) = bench.ask(bench.order(side, within, **other), validate_only=True)
    assert good.authorised, good.checks
    row, passed, allowed, value, text = of(good, limit.kind)
    assert passed
    assert allowed == value
    assert not text
    (bad,) = bench.ask(bench.order(side, beyond, **other))
    assert set(failed(bad)) == {limit.kind}
    assert not bad.authorised
    row, passed, allowed, value, text = next(each for each in bad.checks if not each[1])
    assert value > allowed
    assert row.scope.split(":")[0] == limit.scope_kind
    assert row.scope in text
    assert not bench.alpha.working
    assert bench.alpha.group.working == 0
    assert bench.book.platform.gross == 0


def test_a_collar_is_beyond_the_market() -> None:
    """A hundred basis points above the offer pass for a buyer and below the bid for a seller, one unit more fails;
    behind the
    market any price does."""
    bench = Bench(count("platform", Check.PRICE_COLLAR, "100"))
    bench.quote("EUR/USD", 1.0, 1.0)
    assert bench.passes(bench.order(1, price="1.01"))
    assert not bench.passes(bench.order(1, price="1.0100000001"))
    assert bench.passes(bench.order(-1, price="0.99"))
    assert not bench.passes(bench.order(-1, price="0.9899999999"))
    assert bench.passes(bench.order(1, price="0.5"))
    assert bench.passes(bench.order(-1, price="9"))
    assert bench.passes(bench.order(1))
    stop = {"kind": Kind.STOP_LIMIT, "stop_price": 11_000_000_000}
    assert bench.passes(bench.order(1, price="1.111", **stop))
    assert not bench.passes(bench.order(1, price="1.1110000001", **stop))


def test_the_collar_looks_at_the_newest_quote() -> None:
    """Although sums are valued less often."""
    bench = Bench(count("instrument:EUR/USD", Check.PRICE_COLLAR, "100"))
    order = bench.order(1, price="1.05")
    assert not bench.passes(order)
    bench.quote("EUR/USD", 1.04, 1.04)
    assert bench.passes(order)


@pytest.mark.parametrize("health", ["STALE", "GAPPED", "CROSSED", "CLOSED", "UNSPECIFIED"])
def test_only_a_live_quote_is_a_reference(health: str) -> None:
    """Any other health refuses what adds, and says which."""
    bench = Bench()
    bench.quote("EUR/USD", 1.0, 1.0, health)
    (outcome,) = bench.ask(bench.order())
    assert Check.REFERENCE_QUOTE in failed(outcome)
    assert health in of(outcome, Check.REFERENCE_QUOTE)[4]


def test_a_quote_has_an_age() -> None:
    """One of ten seconds is young enough, a nanosecond more is not; while marketdata is not heard none is."""
    bench = Bench()
    order = bench.order()
    bench.now_ns += 10 * SECOND_NS
    assert bench.passes(order)
    bench.now_ns += 1
    assert failed(bench.ask(order)[0]) == [Check.REFERENCE_QUOTE]
    bench.quote("EUR/USD", 1.0, 1.0)
    assert bench.passes(order)
    bench.market.heard = False
    assert not bench.passes(order)


def test_what_is_held_has_to_have_a_price() -> None:
    """A position whose instrument was not LIVE for a minute refuses more of anything, by its name."""
    bench = Bench()
    bench.hold("1000", instrument="USD/JPY", price="100")
    bench.now_ns += 61 * SECOND_NS
    bench.quote("EUR/USD", 1.0, 1.0)
    bench.market.revalue(bench.now_ns)
    (outcome,) = bench.ask(bench.order())
    assert "USD/JPY" in of(outcome, Check.REFERENCE_QUOTE)[4]


def test_working_orders_are_reserved_in_the_worse_direction() -> None:
    """Buys add to a long position, sales do not take from it: 5,000 held and 2,000 bought leave 1,000 of 8,000."""
    bench = Bench(count("account:*", Check.POSITION, "8000"))
    bench.hold("5000")
    assert bench.ask(bench.order(1, "2000", "0.9"), bench.order(-1, "4000", "1.5"))[0].authorised
    assert bench.passes(bench.order(1, "1000", "0.9"))
    assert not bench.passes(bench.order(1, "1001", "0.9"))
    assert bench.passes(bench.order(-1, "9000", "1.5"))
    assert not bench.passes(bench.order(-1, "9001", "1.5"))


def test_exposures_are_of_legs() -> None:
    """Long EUR/USD and long EUR/GBP are one long euro: 1,000 and 1,500 leave 500 of 3,000. Sterling bought is dollars
    sold: 2,000 of them beside the 1,000 that are."""
    bench = Bench(money("account:*", Check.CURRENCY_EXPOSURE, "3000"))
    bench.hold("1000")
    bench.hold("1500", instrument="EUR/GBP", price="0.5")
    assert bench.passes(bench.order(1, "500"))
    assert not bench.passes(bench.order(1, "501"))
    assert bench.passes(bench.order(1, "1000", instrument="GBP/USD"))
    assert not bench.passes(bench.order(1, "1001", instrument="GBP/USD"))


def test_the_net_position_leaves_the_unit_out() -> None:
    """Long 1,000 euro and short 500 sterling against dollars are 1,000, not 1,500 nor 500; a hedge passes."""
    bench = Bench(money("account:*", Check.NET_EXPOSURE, "1500"))
    bench.hold("1000")
    bench.hold("-250", instrument="GBP/USD", price="2")
    assert bench.passes(bench.order(1, "500"))
    assert not bench.passes(bench.order(1, "501"))


def test_concentration_counts_from_its_floor() -> None:
    """Three quarters in one instrument pass at 0.75 and fail at more, but only from a gross exposure of 4,000 on."""
    bench = Bench(Limit("account:*", Check.CONCENTRATION, 7500, "USD", floor=4000 * SCALE))
    assert bench.passes(bench.order(1, "3999"))
    assert not bench.passes(bench.order(1, "4000"))
    bench.hold("500", instrument="GBP/USD", price="2")
    assert bench.passes(bench.order(1, "3000"))
    assert not bench.passes(bench.order(1, "3001"))


def test_a_day_has_a_loss() -> None:
    """Bought at 1.10 and worth 1.00 since: at a limit of 100 a loss of 100 passes, one of 100.0001 does not."""
    bench = Bench(money("account:*", Check.DAILY_LOSS, "100"))
    bench.hold("1000", "1.1")
    assert bench.passes(bench.order(1, "1000"))
    bench.hold("1", "1.0001")
    (outcome,) = bench.ask(bench.order(1, "1000"))
    assert failed(outcome) == [Check.DAILY_LOSS]
    assert of(outcome, Check.DAILY_LOSS)[3] == quantity_of("100.0001")
    assert bench.passes(bench.order(-1, "1000"))
    bench.alpha.group.day_mark = bench.alpha.group.profit
    assert bench.passes(bench.order(1, "1000"))


def test_margin_needs_funds() -> None:
    """Funds that the ledger has not told refuse what adds; a loss counts against them; what reduces passes."""
    bench = Bench(count("account:*", Check.MARGIN, "1"), funds=None)
    assert failed(bench.ask(bench.order())[0]) == [Check.MARGIN]
    bench.hold("1000")
    assert bench.passes(bench.order(-1, "1000"))
    bench.alpha.funds = {"USD": 100 * SCALE}
    assert bench.passes(bench.order(1, "1000"))
    assert not bench.passes(bench.order(1, "1001"))
    bench.quote("EUR/USD", 0.95, 0.95)
    bench.market.revalue(bench.now_ns)
    (outcome,) = bench.ask(bench.order(1, "53"), validate_only=True)
    assert (outcome.equity, outcome.margin_before) == (50 * SCALE, quantity_of("47.5"))
    assert not outcome.authorised
    assert bench.passes(bench.order(1, "52"))


def test_orders_have_a_pace() -> None:
    """Three orders in a second pass, the fourth does not, and does once the first is a second old."""
    bench = Bench(count("account:*", Check.ORDER_RATE, "3", 1))
    assert all(each.authorised for each in bench.ask(*(bench.order(1, str(n)) for n in (1, 2, 3))))
    assert failed(bench.ask(bench.order())[0]) == [Check.ORDER_RATE]
    bench.now_ns += SECOND_NS - 1
    assert not bench.passes(bench.order())
    bench.now_ns += 1
    assert bench.passes(bench.order())


def test_orders_alike_are_few() -> None:
    """Two alike pass, the third does not; another quantity, side or price is another order."""
    bench = Bench(count("account:*", Check.DUPLICATE, "2", 60))
    assert all(each.authorised for each in bench.ask(bench.order(price="0.9"), bench.order(price="0.9")))
    assert failed(bench.ask(bench.order(price="0.9"))[0]) == [Check.DUPLICATE]
    for other in (bench.order(price="0.91"), bench.order(-1, price="1.9"), bench.order(1, "1001", "0.9")):
        assert bench.passes(other)


def test_orders_that_work_are_counted() -> None:
    """Of two that may work the third is refused, until one has ended."""
    bench = Bench(count("desk:spot", Check.OPEN_ORDERS, "2"))
    first, second = bench.order(price="0.9"), bench.order(price="0.8")
    bench.ask(first, second)
    assert failed(bench.ask(bench.order(price="0.7"))[0]) == [Check.OPEN_ORDERS]
    bench.book.remove(bench.alpha, first.order_id)
    assert bench.passes(bench.order(price="0.7"))


def test_swaps_meet_no_order_and_points_are_no_rate() -> None:
    """An own offer is not in the way of a swap, at the market or not, nor a swap in that of an own order; its limit is
    within any collar, zero or below too. The same swap once more is alike, one with another limit is not."""
    bench = Bench(
        Limit("account:*", Check.SELF_TRADE),
        count("account:*", Check.PRICE_COLLAR, "100"),
        count("account:*", Check.DUPLICATE, "1", window_s=10),
    )
    swap = {"is_swap": True, "far": quantity_of("1000")}
    bench.work(bench.order(-1, "1000", "1.0"))
    for points in ("0.0021", "0", "-0.0021"):
        assert bench.ask(bench.order(1, "1000", points, **swap))[0].authorised
    assert failed(bench.ask(bench.order(1, "1000", "0", **swap))[0]) == [Check.DUPLICATE]
    assert bench.ask(bench.order(1, "1000", **swap))[0].authorised
    bench.work(bench.order(-1, "1000", "-0.0021", **swap))
    assert bench.passes(bench.order(1, "2000", "0.9995"))


def test_own_orders_do_not_deal_with_each_other() -> None:
    """A buy at the price of an own offer fails and names it, one below passes; a market order looks at the quote;
    within a
    desk only if the desk has that limit."""
    bench = Bench(Limit("account:*", Check.SELF_TRADE))
    bench.open("beta")
    offer = bench.work(bench.order(-1, price="1.0"))
    (outcome,) = bench.ask(bench.order(1, price="1.0"))
    assert failed(outcome) == [Check.SELF_TRADE]
    assert offer.order_id in of(outcome, Check.SELF_TRADE)[4]
    assert bench.passes(bench.order(1, price="0.9999999999"))
    assert not bench.passes(bench.order(1))
    assert bench.passes(bench.order(1, price="1.0", account="beta"))
    bench.limit(Limit("desk:spot", Check.SELF_TRADE))
    assert not bench.passes(bench.order(1, price="1.0", account="beta"))
    bench.book.remove(bench.alpha, offer.order_id)
    assert bench.passes(bench.order(1, price="1.0", account="beta"))


def test_what_stands_behind_does_not_hide_what_stands_in_front() -> None:
    """The best own price counts, whatever was entered last and has ended since."""
    bench = Bench(Limit("account:*", Check.SELF_TRADE))
    far, near = bench.order(-1, price="1.4"), bench.order(-1, price="1.2")
    assert bench.ask(far, near)[1].authorised
    assert not bench.passes(bench.order(1, price="1.2"))
    bench.book.remove(bench.alpha, near.order_id)
    assert bench.passes(bench.order(1, price="1.2"))
    assert not bench.passes(bench.order(1, price="1.4"))


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    "rule",
    [
        ("platform", ""),
        ("desk", "spot"),
        ("account", "alpha"),
        ("strategy", "carry"),
        ("instrument", "EUR/USD"),
        ("venue", "sim"),
    ],
)
def test_the_kill_switch_lets_only_reductions_pass(mode: Mode, rule: tuple[str, str]) -> None:
    """In every mode and scope; another account, strategy, instrument or venue is not reached by a narrower rule."""
    bench = Bench()
    bench.open("beta", desk="forwards")
    bench.hold("1000")
    other = {"strategy": "carry", "venue": "sim"}
    bench.authoriser.gate = Gate(7, [Rule(*rule, mode)])
    assert failed(bench.ask(bench.order(1, **other))[0]) == [Check.KILL_SWITCH]
    assert bench.passes(bench.order(-1, "1000", **other))
    assert failed(bench.ask(bench.order(-1, "1001", **other))[0]) == [Check.KILL_SWITCH]
    apart = bench.order(1, account="beta", instrument="GBP/USD")
    assert bench.passes(apart) == (rule[0] != "platform")


def test_instruments_may_be_closed() -> None:
    """Halted refuses everything, close-only and a limit that says so what adds, restricted everything."""
    bench = Bench()
    bench.hold("1000")
    instrument = bench.market.instruments["EUR/USD"]
    instrument.status = REDUCE_ONLY
    assert failed(bench.ask(bench.order())[0]) == [Check.INSTRUMENT]
    assert bench.passes(bench.order(-1))
    instrument.status = HALTED
    assert not bench.passes(bench.order(-1))
    instrument.status = 1
    bench.limit(Limit("account:*", Check.INSTRUMENT, instrument="EUR/USD", use=CLOSE_ONLY))
    assert not bench.passes(bench.order())
    assert bench.passes(bench.order(-1))
    assert bench.passes(bench.order(instrument="GBP/USD"))
    bench.limit(Limit("platform", Check.INSTRUMENT, instrument="EUR/USD", use=RESTRICTED))
    assert not bench.passes(bench.order(-1))
    bench.limit()
    bench.market.statuses_known = False
    assert not bench.passes(bench.order(-1))


def test_a_closed_market_takes_nothing() -> None:
    """On Friday at 17:00 New York the week has ended; a nanosecond before it has not. Always open, only a CLOSED quote
    is."""
    bench = Bench()
    bench.now_ns += 2 * 86_400 * SECOND_NS + 8 * 3600 * SECOND_NS - 1
    bench.quote("EUR/USD", 1.0, 1.0)
    assert bench.passes(bench.order())
    bench.now_ns += 1
    assert failed(bench.ask(bench.order())[0]) == [Check.MARKET_HOURS]
    bench.market.always_open = True
    assert bench.passes(bench.order())
    bench.quote("EUR/USD", 1.0, 1.0, "CLOSED")
    assert Check.MARKET_HOURS in failed(bench.ask(bench.order())[0])


def test_accounts_have_a_standing() -> None:
    """One that the ledger does not know and one that is closed take nothing; a close-only one takes reductions."""
    bench = Bench()
    bench.hold("1000")
    bench.alpha.status = ACCOUNT_CLOSE_ONLY
    assert failed(bench.ask(bench.order())[0]) == [Check.ACCOUNT]
    assert bench.passes(bench.order(-1))
    bench.alpha.status = ACCOUNT_CLOSED
    assert not bench.passes(bench.order(-1))
    bench.alpha.status, bench.alpha.listed = 1, False
    assert not bench.passes(bench.order(-1))


def test_an_instrument_that_is_none_is_refused() -> None:
    """By its name, without a plan."""
    (outcome,) = Bench().ask(Bench().order(instrument="EUR/XXX"))
    assert failed(outcome) == [Check.INSTRUMENT]


def test_the_narrower_limit_counts() -> None:
    """The own name before the star, the instrument before none; each scope by itself."""
    bench = Bench(
        count("account:*", Check.ORDER_QUANTITY, "10"),
        count("account:alpha", Check.ORDER_QUANTITY, "100"),
        count("account:alpha", Check.ORDER_QUANTITY, "1000", instrument="EUR/USD"),
        count("platform", Check.ORDER_QUANTITY, "500"),
    )
    bench.open("beta")
    assert bench.passes(bench.order(1, "500"))
    assert not bench.passes(bench.order(1, "501"))
    assert bench.passes(bench.order(1, "100", instrument="GBP/USD"))
    assert not bench.passes(bench.order(1, "101", instrument="GBP/USD"))
    assert not bench.passes(bench.order(1, "11", account="beta"))


def test_what_a_new_platform_begins_with_makes_sense() -> None:
    """Every limit passes the checks of a proposal, and a laptop can trade a million."""
    for limit in BEGINNING:
        checked(limit, "limit", has_value=limit.kind is not Check.SELF_TRADE, currencies=["USD"])
    bench = Bench(*BEGINNING)
    assert bench.passes(bench.order(1, "1000000", "1.0"))


def test_limits_that_make_no_sense_are_refused() -> None:
    """By field."""
    for limit, field in (
        (Limit("platform", Check.MARGIN, 1), "scope"),
        (Limit("platform", Check.CONCENTRATION, 10_001, "USD"), "value"),
        (Limit("instrument:EUR/USD", Check.POSITION, 1, instrument="EUR/USD"), "instrument"),
        (Limit("platform", Check.GROSS_EXPOSURE, 1, "XXX"), "unit"),
        (Limit("platform", Check.OPEN_ORDERS, 1, window_ns=1), "window"),
        (Limit("platform", Check.OPEN_ORDERS, 1, floor=1), "floor"),
        (Limit("platform", Check.INSTRUMENT), "use"),
    ):
        with pytest.raises(Refused) as caught:
            checked(limit, "at", has_value=limit.kind is not Check.INSTRUMENT, currencies=["USD"])
        assert caught.value.field == f"at.{field}"
