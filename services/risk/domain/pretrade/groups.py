"""Sums over what is held and what works: of an account, a desk, a strategy, the platform.

Of each instrument a group knows the position and what works on both sides, of each currency the net amount and what
working orders could add to it and take from it. Amounts are exact integers, so that what is reserved and released comes
back to zero. What is in the reporting currency is right for one valuation of the market and made anew with the next.
"""

from __future__ import annotations

from services.risk.domain.pretrade.amounts import FINE_SCALE, PRICE_SCALE, RATE_SCALE, SCALE
from services.risk.domain.pretrade.market import Instrument, Market

_FINE_RATE = FINE_SCALE * RATE_SCALE // SCALE
"""What a fine amount times a rate is divided by to be money."""


class Slot:
    """One instrument of a group, in ten-thousandths of the base currency.

    Attributes:
        position: net, negative for short.
        buys, sells: what works on each side.
        counter: units of the counter currency received less paid for all fills, in FINE_SCALE.
        worst: the greater of what the position could become on both sides.
        value: that in the reporting currency.
    """

    __slots__ = ("buys", "counter", "instrument", "position", "sells", "value", "worst")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.position = self.buys = self.sells = self.counter = self.worst = self.value = 0


class Leg:
    """One currency of a group, in FINE_SCALE of it; `long` and `short` are the worst cases in REPORTING."""

    __slots__ = ("adds", "currency", "long", "net", "rate", "short", "takes")

    def __init__(self, currency: str, rate: int) -> None:
        self.currency = currency
        self.rate = rate
        self.net = self.adds = self.takes = self.long = self.short = 0


class Group:
    """See the module.

    Attributes:
        scope: "account:alpha", as in a limit.
        gross: sum of the instruments' worst values, in the reporting currency.
        longs, shorts: sums of the currencies' worst cases.
        working: how many orders work.
        unpriced: an instrument or currency that is held or works and has no fresh price; empty if all have.
        day_mark: profit when the day began.
    """

    __slots__ = (
        "_profit",
        "_profit_known",
        "day_mark",
        "epoch",
        "gross",
        "legs",
        "longs",
        "market",
        "scope",
        "shorts",
        "slots",
        "unpriced",
        "working",
    )

    def __init__(self, scope: str, market: Market) -> None:
        self.scope = scope
        self.market = market
        self.slots: dict[str, Slot] = {}
        self.legs: dict[str, Leg] = {}
        self.gross = self.longs = self.shorts = self.working = 0
        self.unpriced = ""
        self.epoch = market.epoch
        self.day_mark: int | None = None
        self._profit = 0
        self._profit_known = False

    def slot(self, instrument: Instrument) -> Slot:
        """The slot of an instrument, made when it is first wanted."""
        found = self.slots.get(instrument.name)
        if found is None:
            found = self.slots[instrument.name] = Slot(instrument)
            for currency in (instrument.base, instrument.counter):
                if currency not in self.legs:
                    self.legs[currency] = Leg(currency, self.market.rates.get(currency, 0))
        return found

    def shift(self, slot: Slot, position: int, buys: int, sells: int) -> None:
        """Adds to an instrument: to its position, and to what works on both sides; all may be negative."""
        if self.epoch != self.market.epoch:
            self.revalue()
        instrument = slot.instrument
        slot.position = held = slot.position + position
        slot.buys = bought = slot.buys + buys
        slot.sells = sold = slot.sells + sells
        high, low = held + bought, sold - held
        slot.worst = worst = high if high >= low else low
        base = self.legs[instrument.base]
        rate = base.rate
        value = worst * rate // RATE_SCALE
        self.gross += value - slot.value
        slot.value = value
        mark = instrument.mark
        if worst and not (mark and rate):
            self.unpriced = instrument.name
        if position:
            self._profit_known = False
        base.net += position * PRICE_SCALE
        base.adds += buys * PRICE_SCALE
        base.takes += sells * PRICE_SCALE
        self._worth(base)
        counter = self.legs[instrument.counter]
        counter.net -= position * mark
        counter.adds += sells * mark
        counter.takes += buys * mark
        self._worth(counter)

    def _worth(self, leg: Leg) -> None:
        rate = leg.rate
        high, low = leg.net + leg.adds, leg.takes - leg.net
        long = high * rate // _FINE_RATE if high > 0 else 0
        short = low * rate // _FINE_RATE if low > 0 else 0
        self.longs += long - leg.long
        self.shorts += short - leg.short
        leg.long, leg.short = long, short

    def works(self, slot: Slot, change: int, side: int) -> None:
        """Adds to what works on one side of an instrument. The same as `shift`, for what orders do most often."""
        if self.epoch != self.market.epoch:
            self.revalue()
        instrument = slot.instrument
        mark = instrument.mark
        base, counter = self.legs[instrument.base], self.legs[instrument.counter]
        rate, other = base.rate, counter.rate
        if side > 0:
            slot.buys += change
            base.adds += change * PRICE_SCALE
            counter.takes += change * mark
            high, low = base.net + base.adds, counter.takes - counter.net
            long = high * rate // _FINE_RATE if high > 0 else 0
            short = low * other // _FINE_RATE if low > 0 else 0
            self.longs += long - base.long
            self.shorts += short - counter.short
            base.long, counter.short = long, short
        else:
            slot.sells += change
            base.takes += change * PRICE_SCALE
            counter.adds += change * mark
            low, high = base.takes - base.net, counter.net + counter.adds
            short = low * rate // _FINE_RATE if low > 0 else 0
            long = high * other // _FINE_RATE if high > 0 else 0
            self.shorts += short - base.short
            self.longs += long - counter.long
            base.short, counter.long = short, long
        high, low = slot.position + slot.buys, slot.sells - slot.position
        worst = high if high >= low else low
        if worst != slot.worst:
            slot.worst = worst
            value = worst * rate // RATE_SCALE
            self.gross += value - slot.value
            slot.value = value
            if worst and not (mark and rate):
                self.unpriced = instrument.name

    def received(self, slot: Slot, counter: int) -> None:
        """Units of the counter currency that fills have brought, in FINE_SCALE."""
        slot.counter += counter
        self._profit_known = False

    def revalue(self) -> None:
        """Values everything by the market's newest valuation."""
        rates = self.market.rates
        self.epoch = self.market.epoch
        self.gross = self.longs = self.shorts = 0
        self.unpriced = ""
        self._profit_known = False
        for leg in self.legs.values():
            leg.rate = rates.get(leg.currency, 0)
            leg.net = leg.adds = leg.takes = leg.long = leg.short = 0
        for slot in self.slots.values():
            instrument, mark = slot.instrument, slot.instrument.mark
            base, counter = self.legs[instrument.base], self.legs[instrument.counter]
            if (slot.worst and not (mark and base.rate)) or ((slot.worst or slot.counter) and not counter.rate):
                self.unpriced = instrument.name
            slot.value = slot.worst * base.rate // RATE_SCALE
            self.gross += slot.value
            base.net += slot.position * PRICE_SCALE
            base.adds += slot.buys * PRICE_SCALE
            base.takes += slot.sells * PRICE_SCALE
            counter.net -= slot.position * mark
            counter.adds += slot.sells * mark
            counter.takes += slot.buys * mark
        for leg in self.legs.values():
            self._worth(leg)

    def fresh(self) -> Group:
        """Itself, valued by the newest valuation."""
        if self.epoch != self.market.epoch:
            self.revalue()
        return self

    @property
    def profit(self) -> int:
        """Realised and unrealised profit of all fills, in the reporting currency, at mids."""
        if not self._profit_known:
            total = 0
            for slot in self.slots.values():
                if slot.position or slot.counter:
                    amount = slot.position * slot.instrument.mark + slot.counter
                    total += amount * self.legs[slot.instrument.counter].rate // _FINE_RATE
            self._profit, self._profit_known = total, True
        return self._profit

    @property
    def day_loss(self) -> int:
        """What was lost since the day began, in the reporting currency; negative for a profit."""
        return (self.day_mark or 0) - self.profit

    def net_open(self, without: str) -> int:
        """Net open position: the greater of all long and all short amounts, those of one currency left out."""
        leg = self.legs.get(without)
        if leg is None:
            return max(self.longs, self.shorts)
        return max(self.longs - leg.long, self.shorts - leg.short)
