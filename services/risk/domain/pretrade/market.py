"""The market as the checks see it: quotes, whether instruments may be traded, and what currencies are worth.

Values are in one reporting currency. They are made anew every so often (`revalue`), so that between two such moments
sums only have to be added to: the price collar alone looks at the newest quote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from crossrate.basics.instrument import Convention
from crossrate.basics.pair import Pair
from crossrate.basics.session import standing_at
from services.risk.domain.pretrade.amounts import PRICE_SCALE, RATE_SCALE

REPORTING = "USD"
"""Currency in which all sums are kept; a limit in another one is compared by the rate of the moment."""
TRADING, REDUCE_ONLY, HALTED = 1, 2, 3
"""Whether an instrument may be traded, as reference says it."""
_VIA = "EUR"
_DAY = Pair("EUR", "USD")
"""The pair whose sessions are the days of the daily loss: they roll at 17:00 New York."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(now_ns: int) -> datetime:
    """A moment from ns since 1970, UTC; never a later one."""
    return _EPOCH + timedelta(microseconds=now_ns // 1000)


class Instrument:
    """One instrument. Prices are integers of PRICE_SCALE; 0 while there is none."""

    __slots__ = (
        "ask",
        "base",
        "bid",
        "counter",
        "health",
        "mark",
        "mid",
        "name",
        "next_change_ns",
        "open",
        "pair",
        "receive_ns",
        "sequence",
        "source",
        "status",
    )

    def __init__(self, convention: Convention) -> None:
        self.pair = convention.pair
        self.name = str(convention.pair)
        self.base, self.counter = convention.pair
        self.status = TRADING
        self.bid = self.ask = 0
        self.mid = 0
        self.mark = 0
        """The mid that sums are valued with."""
        self.health = "UNSPECIFIED"
        self.source = ""
        self.sequence = 0
        self.receive_ns = 0
        self.open = False
        self.next_change_ns = 0

    def in_session(self, now_ns: int) -> bool:
        """Whether its session is open; the calendar is asked only when that may have changed."""
        if now_ns >= self.next_change_ns:
            standing = standing_at(self.pair, moment_of(now_ns))
            self.open = standing.open
            change = standing.session.end if standing.open else standing.next_open
            self.next_change_ns = int(change.timestamp()) * 1_000_000_000
        return self.open


class Market:
    """All instruments.

    Args:
        conventions: the platform's instruments.
        age_max_ns: a quote that was received longer ago is not young.
        rate_age_max_ns: a currency whose pair was not LIVE for longer has no value.
        always_open: sessions close no market; a quote that is CLOSED does.
    """

    def __init__(
        self,
        conventions: Iterable[Convention],
        *,
        age_max_ns: int,
        rate_age_max_ns: int,
        always_open: bool = False,
    ) -> None:
        self.always_open = always_open
        self.instruments: Mapping[str, Instrument] = {
            str(each.pair): Instrument(each) for each in conventions if each.last_trade_date is None
        }
        self.age_max_ns = age_max_ns
        self.rate_age_max_ns = rate_age_max_ns
        self.heard = False
        """Whether marketdata is heard; while it is not, no quote is LIVE."""
        self.statuses_known = False
        """Whether reference has told which instruments may be traded; while it has not, none may."""
        self.epoch = 0
        self.valued_ns = 0
        self.rates: dict[str, int] = {REPORTING: RATE_SCALE}
        """Reporting currency per unit of a currency, in RATE_SCALE; a currency without a fresh price is missing."""
        self._trade_date: date | None = None
        self._trade_date_until_ns = 0

    def quote(
        self, name: str, bid: float, ask: float, health: str, *, source: str, sequence: int, receive_ns: int
    ) -> None:
        """Takes a quote. Prices of one that is not LIVE are not used."""
        instrument = self.instruments.get(name)
        if instrument is None:
            return
        instrument.health = health
        instrument.source, instrument.sequence = source, sequence
        if health != "LIVE":
            return
        instrument.bid, instrument.ask = round(bid * PRICE_SCALE), round(ask * PRICE_SCALE)
        instrument.mid = (instrument.bid + instrument.ask) // 2
        instrument.receive_ns = receive_ns

    def is_open(self, instrument: Instrument, now_ns: int) -> bool:
        """Whether an instrument's market is open."""
        return instrument.health != "CLOSED" and (self.always_open or instrument.in_session(now_ns))

    def why_not_live(self, instrument: Instrument, now_ns: int) -> str:
        """Why an instrument's quote cannot be referred to; empty if it can."""
        if not self.heard:
            return "marketdata is not heard"
        if instrument.health != "LIVE":
            return f"the quote is {instrument.health}"
        if now_ns - instrument.receive_ns > self.age_max_ns:
            return f"the quote is {(now_ns - instrument.receive_ns) / 1e9:.1f} s old"
        return ""

    def revalue(self, now_ns: int) -> None:
        """Makes what currencies are worth anew, by the newest LIVE mids."""
        self.epoch += 1
        self.valued_ns = now_ns
        oldest = now_ns - self.rate_age_max_ns
        for each in self.instruments.values():
            each.mark = each.mid if each.mid and each.receive_ns >= oldest else 0
        rates = {REPORTING: RATE_SCALE}
        via: list[Instrument] = []
        for each in self.instruments.values():
            if not each.mark:
                continue
            if each.counter == REPORTING:
                rates[each.base] = each.mark * RATE_SCALE // PRICE_SCALE
            elif each.base == REPORTING:
                rates[each.counter] = PRICE_SCALE * RATE_SCALE // each.mark
            elif _VIA in (each.base, each.counter):
                via.append(each)
        euro = rates.get(_VIA)
        if euro:
            for each in via:
                if each.base == _VIA:
                    rates.setdefault(each.counter, euro * PRICE_SCALE // each.mark)
                else:
                    rates.setdefault(each.base, euro * each.mark // PRICE_SCALE)
        self.rates = rates

    def trade_date(self, now_ns: int) -> date:
        """The day of the daily loss: it begins at 17:00 New York."""
        if self._trade_date is None or now_ns >= self._trade_date_until_ns:
            session = standing_at(_DAY, moment_of(now_ns)).session
            self._trade_date = session.trade_date
            self._trade_date_until_ns = int(session.end.timestamp()) * 1_000_000_000
        return self._trade_date
