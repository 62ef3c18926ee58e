"""From what a venue says to the platform's quotes: names, units, clock, numbers, health. Pure; times are arguments.

Everything that comes is either passed on, with what is known against it, or counted with the reason why not:

    unknown symbol, price or quantity that is none ──▶ rejected
    numbered as one that came already              ──▶ duplicate, left out
    everything else                                ──▶ a quote under the next number of its instrument

It is plain Python, a quote at a time: batches are of one to a few dozen quotes, too few for numpy, and the band of
outliers goes from quote to quote.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.marketdata.domain.composite import Health
from services.marketdata.domain.outlier import Band, Rule
from services.marketdata.domain.venue_clock import VenueClock

INFINITY = float("inf")
TIME_NS_END = 4_102_444_800_000_000_000
"""2100, nanoseconds since 1970 UTC."""
LATENCIES_KEPT = 1_024
"""Quotes over which latencies are told."""
UNKNOWN_KEPT_MAX = 1_000
"""Unknown symbols that are remembered; further ones are counted, and not reported by name."""
UNKNOWN_SYMBOL = "the symbol is not mapped to an instrument of the platform"
NO_NUMBER = "a price is missing or not a number"
NOT_POSITIVE = "a price is zero or negative"
NO_TIME = "the venue time is not between 1970 and 2099"
NEGATIVE_QUANTITY = "a quantity is negative or not a number"


# What an adapter knows of a quote beside its values. Plain numbers: sets of enum.IntFlag cost as much as all else here.
IN_UTC = 1
"""Its venue time is in UTC already, whatever the venue's clock."""
GAPPED = 2
"""Messages before it are missing, and it does not make up for them."""
WITHDRAWN = 4
"""The venue shows no two-sided price any more; prices mean nothing."""

_LIVE, _STALE, _GAPPED = int(Health.LIVE), int(Health.STALE), int(Health.GAPPED)
_CROSSED, _CLOSED = int(Health.CROSSED), int(Health.CLOSED)


class Mark(enum.IntEnum):
    """What is known against a quote beside its health; numbered as in the contract."""

    LOCKED = 1
    DUPLICATE = 2
    OUT_OF_ORDER = 3
    AFTER_GAP = 4
    OUTLIER = 5


class Raw(NamedTuple):
    """One quote as a venue sends it.

    Attributes:
        symbol: the venue's name of the instrument.
        bid: in the venue's unit; NaN for a side that is not there.
        ask: in the venue's unit.
        bid_quantity: in the venue's unit; 0 if it is not known.
        ask_quantity: in the venue's unit; 0 if it is not known.
        venue_time: nanoseconds since 1970 on the venue's clock; 0 if it tells none.
        sequence: the venue's own number of it within the instrument; 0 if it has none.
        note: a sum of IN_UTC, GAPPED and WITHDRAWN.
    """

    symbol: str
    bid: float
    ask: float
    bid_quantity: float = 0.0
    ask_quantity: float = 0.0
    venue_time: int = 0
    sequence: int = 0
    note: int = 0


class Normal(NamedTuple):
    """One quote as the platform has it: prices counter per base, quantities of the base currency, times ns UTC."""

    instrument: str
    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float
    sequence: int
    venue_time: int
    receive_time: int
    health: int
    marks: tuple[Mark, ...]
    venue_sequence: int


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a symbol is: an instrument, the venue's price units in 1, and what its unit of quantity is.

    Prices are divided, because 111234 / 100000 is the double nearest to 1.11234, and 111234 * 0.00001 is not.
    """

    instrument: str
    price_points: float = 1.0
    quantity_unit: float = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The feed's rules.

    Attributes:
        late_ns: a quote whose venue time is further than this from its receipt is STALE; 0 for no such rule.
        disorder_ns: a quote whose venue time is this much before the newest of its instrument is STALE.
        outlier: the band; None to judge nothing.
        outliers_live: whether an outlier may be LIVE.
    """

    late_ns: int = 10_000_000_000
    disorder_ns: int = 1_000_000_000
    outlier: Rule | None = Rule()  # noqa: RUF009 - it is frozen
    outliers_live: bool = False


@dataclass(slots=True)
class Counts:
    """What has come through a feed."""

    quotes: int = 0
    gaps: int = 0
    duplicates: int = 0
    outliers: int = 0
    out_of_order: int = 0
    crossed: int = 0
    late: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    def reject(self, reason: str, count: int = 1) -> None:
        """Counts what is not passed on."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count


class _Instrument:
    """Where one instrument of the feed stands."""

    __slots__ = ("band", "last", "name", "newest", "numbered", "open", "said", "sequence")

    def __init__(self, name: str, band: Band | None) -> None:
        self.name = name
        self.band = band
        self.open = True
        self.sequence = 0
        self.numbered = 0
        self.newest = 0
        self.said: tuple[float, float, float, float, int] | None = None
        self.last: Normal | None = None


class Normaliser:
    """One feed's term."""

    def __init__(
        self,
        clock: VenueClock,
        mapping: Callable[[str], Mapped | None],
        rules: Rules,
        counts: Counts,
        *,
        unknown: Iterable[str] = (),
    ) -> None:
        """For one term.

        Args:
            clock: the venue's.
            mapping: what a symbol is; None if it is not mapped.
            rules: the feed's.
            counts: what had come before, counted on.
            unknown: symbols that were reported as unknown before.
        """
        self._clock = clock
        self._mapping = mapping
        self._rules = rules
        self._known: dict[str, tuple[_Instrument, Mapped] | None] = {}
        self._instruments: dict[str, _Instrument] = {}
        self._listed: Mapping[str, bool] = {}
        self.counts = counts
        self.unknown = dict.fromkeys(unknown)
        self.latencies: deque[int] = deque(maxlen=LATENCIES_KEPT)

    @property
    def names(self) -> Collection[str]:
        """The instruments that have come."""
        return self._instruments.keys()

    # What changes around it

    def begin(self, newest: Iterable[Normal]) -> None:
        """Takes the newest quotes of the term before, whose numbers go on."""
        for quote in newest:
            instrument = self._instrument(quote.instrument)
            instrument.sequence, instrument.last = quote.sequence, quote

    def restart(self) -> None:
        """The venue's own numbers begin anew, as after a connection."""
        for instrument in self._instruments.values():
            instrument.numbered = instrument.newest = 0

    def list(self, listed: Mapping[str, bool], receive_ns: int) -> list[Normal]:
        """Takes the platform's instruments and whether each may be quoted; returns CLOSED quotes of those that stop."""
        self._listed = listed
        self._known = {symbol: known for symbol, known in self._known.items() if known is not None}
        for instrument in self._instruments.values():
            instrument.open = listed.get(instrument.name, False)
        closing = [i for i in self._instruments.values() if not i.open and i.last is not None]
        return self._again(closing, _CLOSED, receive_ns, unless=(_CLOSED,))

    def go_stale(self, receive_ns: int) -> list[Normal]:
        """A STALE quote at the last prices for every instrument that looks alive: the venue is not there."""
        return self._again(self._instruments.values(), _STALE, receive_ns, unless=(_STALE, _CLOSED))

    def go_gapped(self, receive_ns: int, missing: int = 0) -> list[Normal]:
        """Messages are missing, so many if it is known, and not of which instrument.

        A GAPPED quote at the last prices for every LIVE instrument.
        """
        self.counts.gaps += missing
        return self._again(self._instruments.values(), _GAPPED, receive_ns, unless=(_STALE, _GAPPED, _CROSSED, _CLOSED))

    def _again(
        self, instruments: Iterable[_Instrument], health: int, receive_ns: int, *, unless: tuple[int, ...]
    ) -> list[Normal]:
        made = []
        for instrument in instruments:
            last = instrument.last
            if last is None or last.health in unless:
                continue
            instrument.sequence += 1
            instrument.last = last._replace(
                sequence=instrument.sequence, receive_time=receive_ns, health=health, marks=(), venue_sequence=0
            )
            made.append(instrument.last)
        self.counts.quotes += len(made)
        return made

    # Quotes

    def take(self, raws: Iterable[Raw], receive_ns: int) -> list[Normal]:
        """What a venue sent, received together; the quotes that are passed on, in order."""
        made: list[Normal] = []
        known, counts = self._known, self.counts
        for raw in raws:
            found = known.get(raw.symbol) or self._find(raw.symbol)
            if found is None:
                counts.reject(UNKNOWN_SYMBOL)
                continue
            instrument, mapped = found
            if raw.note & WITHDRAWN:
                made += self._again((instrument,), _STALE, receive_ns, unless=(_STALE, _CLOSED))
                continue
            quote = self._one(raw, instrument, mapped, receive_ns)
            if quote is not None:
                made.append(quote)
        return made

    def _one(self, raw: Raw, instrument: _Instrument, mapped: Mapped, receive_ns: int) -> Normal | None:
        _, bid, ask, bid_quantity, ask_quantity, local, numbered, note = raw
        counts, points = self.counts, mapped.price_points
        if points != 1.0:
            bid, ask = bid / points, ask / points
        if not (0.0 < bid < INFINITY and 0.0 < ask < INFINITY):
            counts.reject(NOT_POSITIVE if bid <= 0.0 or ask <= 0.0 else NO_NUMBER)
            return None
        if not (0.0 <= bid_quantity < INFINITY and 0.0 <= ask_quantity < INFINITY):
            counts.reject(NEGATIVE_QUANTITY)
            return None
        if not local:
            venue_ns = receive_ns
        elif note & IN_UTC or self._clock.utc:
            venue_ns = local
        else:
            venue_ns = self._clock.to_utc(local, receive_ns)
        if not 0 < venue_ns < TIME_NS_END:
            counts.reject(NO_TIME)
            return None
        marks: list[Mark] = []
        health = _GAPPED if note & GAPPED else _LIVE
        if numbered:
            if instrument.numbered and numbered != instrument.numbered + 1:
                if numbered <= instrument.numbered and venue_ns <= instrument.newest:
                    counts.duplicates += 1
                    return None
                # A lower number with a later time: the venue began to count anew, and what it left out is not known.
                counts.gaps += max(numbered - instrument.numbered - 1, 1)
                marks.append(Mark.AFTER_GAP)
                health = _GAPPED
            instrument.numbered = numbered
        if local:
            health = self._timed(venue_ns, receive_ns, instrument, health, marks)
            said = (bid, ask, bid_quantity, ask_quantity, local)
            if said == instrument.said:
                marks.append(Mark.DUPLICATE)
                counts.duplicates += 1
            instrument.said = said
        if bid >= ask:
            if bid > ask:
                counts.crossed += 1
                health = _CROSSED
            else:
                marks.append(Mark.LOCKED)
        if instrument.band is not None and instrument.band.outlies(0.5 * (bid + ask), receive_ns):
            counts.outliers += 1
            marks.append(Mark.OUTLIER)
            if health == _LIVE and not self._rules.outliers_live:
                health = _STALE
        instrument.sequence += 1
        counts.quotes += 1
        unit = mapped.quantity_unit
        quote = instrument.last = Normal(
            instrument.name,
            bid,
            ask,
            bid_quantity * unit,
            ask_quantity * unit,
            instrument.sequence,
            venue_ns,
            receive_ns,
            health if instrument.open else _CLOSED,
            tuple(marks),
            numbered,
        )
        return quote

    def _timed(self, venue_ns: int, receive_ns: int, instrument: _Instrument, health: int, marks: list[Mark]) -> int:
        """What a quote's venue time makes of its health."""
        rules, late_ns = self._rules, receive_ns - venue_ns
        self.latencies.append(late_ns)
        if rules.late_ns and not -rules.late_ns <= late_ns <= rules.late_ns:
            self.counts.late += 1
            health = max(health, _STALE)
        if venue_ns >= instrument.newest:
            instrument.newest = venue_ns
            return health
        self.counts.out_of_order += 1
        marks.append(Mark.OUT_OF_ORDER)
        return max(health, _STALE) if instrument.newest - venue_ns >= rules.disorder_ns else health

    def _find(self, symbol: str) -> tuple[_Instrument, Mapped] | None:
        """What a symbol is, looked up for the first time."""
        if symbol in self._known:
            return self._known[symbol]
        mapped = self._mapping(symbol)
        found = None
        if mapped is not None and mapped.instrument in self._listed:
            found = (self._instrument(mapped.instrument), mapped)
        elif len(self.unknown) < UNKNOWN_KEPT_MAX:
            # Venues send anything; what is logged and told is printable.
            self.unknown.setdefault(symbol[:64].encode("unicode_escape").decode())
        if found is not None or len(self._known) < 2 * UNKNOWN_KEPT_MAX:
            self._known[symbol] = found
        return found

    def _instrument(self, name: str) -> _Instrument:
        instrument = self._instruments.get(name)
        if instrument is None:
            band = Band(self._rules.outlier) if self._rules.outlier is not None else None
            instrument = self._instruments[name] = _Instrument(name, band)
            instrument.open = self._listed.get(name, False)
        return instrument
