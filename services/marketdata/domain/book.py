"""One venue's book of one instrument: snapshots and numbered diffs in, a sorted book or an exact gap out.

    WAITING ──snapshot──▶ LIVE ──a diff is missing, or cannot be read──▶ GAPPED
                           ▲ └──────────connection lost─────────────────▶ │
                           └──a snapshot that connects, or the missing diff─┘

Diffs carry the venue's numbers first … last and say the whole quantity at each price, so that one which reaches back
over what is known is applied as well as the next. While the book is not live diffs are kept, and those behind the
snapshot's number are applied to it: the procedure that venues themselves describe. A snapshot that is too old to
connect heals nothing. The levels of a gapped book stay as they were before the gap.
"""

from __future__ import annotations

import enum
import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from crossrate.basics.ladder import Ladder, Side
from services.marketdata.domain.composite import Health
from services.marketdata.domain.entries import Entries, EntryUpdate

LEVELS_MAX = 1_000
"""Levels of a side that are kept; worse ones are dropped."""
KEPT_MAX = 1_000
"""Diffs that wait for a snapshot; beyond it the oldest is dropped, and only a newer snapshot connects."""
UPDATE_LEVELS_MAX = 5_000
"""Levels and entries in one update."""

Levels = Sequence[tuple[float, float]]
"""Prices and quantities; 0 deletes a price."""


@dataclass(frozen=True, slots=True)
class BookUpdate:
    """What a venue says of an instrument's book. Prices are counter per base, quantities of the base currency.

    Attributes:
        instrument: "EUR/USD".
        bids: levels; in a snapshot all of them, each price once.
        asks: the same of the other side.
        snapshot: whether it is the whole book; else what changed.
        first_sequence: the venue's number of the first change in a diff; 0 where the venue does not number.
        last_sequence: of the last change in a diff, or up to which a snapshot has everything; 0 likewise.
        venue_time: the venue's clock, nanoseconds since 1970 UTC.
        receive_time: the platform's clock, likewise.
        entries: instead of levels, for a venue that names its entries (FIX MDEntryID); a book has either all its life.
        reset: a snapshot that begins the venue's numbers anew.
        closed: the session is closed or the instrument halted, from here on.
    """

    instrument: str
    bids: Levels = ()
    asks: Levels = ()
    snapshot: bool = False
    first_sequence: int = 0
    last_sequence: int = 0
    venue_time: int = 0
    receive_time: int = 0
    entries: Sequence[EntryUpdate] = ()
    reset: bool = False
    closed: bool = False


class Action(enum.IntEnum):
    """What happened to a level; numbered as in the contract."""

    NEW = 1
    CHANGE = 2
    DELETE = 3


class LevelChange(NamedTuple):
    """What happened to one level; `quantity` is what stands there afterwards."""

    action: Action
    price: float
    quantity: float


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing: the venue's numbers from `expected` to before `received`; both 0 where numbers do not tell."""

    expected: int
    received: int
    detected_at: int
    reason: str


class Verdict(enum.Enum):
    """What an update was."""

    APPLIED = "applied"
    """The next diff, or a snapshot."""
    OVERLAPPING = "overlapping"
    """A diff that begins with numbers which are known and goes on beyond them; applied."""
    DUPLICATE = "duplicate"
    """The diff that was applied last, again; left out."""
    STALE = "stale"
    """Older than the book; left out."""
    MISSING = "missing"
    """A diff whose predecessor did not come: the book is GAPPED from here on."""
    KEPT = "kept"
    """A diff that waits for a snapshot."""
    DROPPED = "dropped"
    """A diff without number while the book waits for a snapshot: nobody can tell whether it is in it."""
    BEHIND = "behind"
    """A snapshot that is too old for the diffs that wait; left out."""
    REFUSED = "refused"
    """Its content is wrong. After a refused diff the book is GAPPED, because what it said is missing."""
    LOST = "lost"
    """Not an update: the connection went."""


@dataclass(slots=True)
class Outcome:
    """What an update did to the book.

    Attributes:
        verdict: what it was.
        changed: whether the book is to be told to others.
        whole: whether it is another book; else `bids` and `asks` say what changed.
        gap: the gap that was found with it.
        healed: whether a gap ended.
        reason: why it was refused.
    """

    verdict: Verdict
    changed: bool = False
    whole: bool = False
    bids: list[LevelChange] = field(default_factory=list)
    asks: list[LevelChange] = field(default_factory=list)
    gap: Gap | None = None
    healed: bool = False
    reason: str = ""


class _Wrong(ValueError):
    """An update's content cannot be taken."""


class VenueBook:
    """See the module.

    Attributes:
        ladder: the levels, without those beyond LEVELS_MAX.
        gap: what is missing while the book is GAPPED.
        last: the venue's number of the newest change in it; None while it is unknown.
        closed: whether the venue closed it.
        venue_time, receive_time: of the newest change.
        counts: updates by verdict, and "overflow": kept diffs that were dropped.
        waiting: whether there was no snapshot yet.
    """

    def __init__(self) -> None:
        self.ladder = Ladder()
        self.gap: Gap | None = None
        self.last: int | None = None
        self.closed = False
        self.venue_time = self.receive_time = 0
        self.counts: Counter[str] = Counter()
        self.waiting = True
        self._newest = (0, 0)
        self._straddles = False
        self._entries: Entries | None = None
        self._kept: deque[BookUpdate] = deque()

    @property
    def live(self) -> bool:
        """Whether nothing is missing."""
        return self.gap is None and not self.waiting

    @property
    def health(self) -> Health:
        """Whether it may be traded on, apart from its age."""
        if not self.live:
            return Health.GAPPED
        if self.closed:
            return Health.CLOSED
        return Health.CROSSED if self.ladder.crossed else Health.LIVE

    def apply(self, update: BookUpdate) -> Outcome:
        """Takes the venue's next update. What is wrong with it is in the outcome; nothing is raised."""
        outcome = self._snapshot(update) if update.snapshot else self._diff(update)
        self.counts[outcome.verdict.value] += 1
        return outcome

    def lose(self, now_ns: int, reason: str) -> Outcome:
        """The connection went: the book is GAPPED until a snapshot of the next one, whatever its numbers."""
        self._kept.clear()
        self.last = None
        self._newest = (0, 0)
        self.counts[Verdict.LOST.value] += 1
        if not self.live:
            return Outcome(Verdict.LOST)
        self.gap = Gap(0, 0, now_ns, reason)
        return Outcome(Verdict.LOST, changed=True, gap=self.gap)

    # Diffs

    def _diff(self, update: BookUpdate) -> Outcome:
        first, last = update.first_sequence, update.last_sequence
        numbered = last > 0 or first > 0
        if numbered and not 0 < first <= last:
            return self._refuse(update, f"its numbers are {first} to {last}")
        if not self.live:
            return self._diff_while_gapped(update, numbered)
        verdict = Verdict.APPLIED
        known = self.last
        if numbered and known is not None:
            if last <= known:
                return Outcome(Verdict.DUPLICATE if (first, last) == self._newest else Verdict.STALE)
            if first > known + 1:
                self._keep(update)
                return self._open(Verdict.MISSING, Gap(known + 1, first, update.receive_time, "changes did not come"))
            if first <= known and not self._straddles:
                verdict = Verdict.OVERLAPPING
        try:
            outcome = self._change(update)
        except _Wrong as error:
            return self._refuse(update, str(error))
        outcome.verdict = verdict
        return outcome

    def _diff_while_gapped(self, update: BookUpdate, numbered: bool) -> Outcome:
        if not numbered:
            return Outcome(Verdict.DROPPED)
        known = self.last
        if known is not None:
            if update.last_sequence <= known:
                return Outcome(Verdict.STALE)
            if update.first_sequence <= known + 1 and not self.waiting:
                return self._late(update)
        self._keep(update)
        return Outcome(Verdict.KEPT)

    def _late(self, update: BookUpdate) -> Outcome:
        """The diff that was missing came after all: no snapshot is needed."""
        try:
            self._change(update)
        except _Wrong as error:
            return Outcome(Verdict.REFUSED, reason=str(error))
        self.gap = None
        outcome = Outcome(Verdict.APPLIED, changed=True, whole=True, gap=self._catch_up())
        outcome.healed = outcome.gap is None
        return outcome

    def _keep(self, update: BookUpdate) -> None:
        if len(self._kept) == KEPT_MAX:
            self._kept.popleft()
            self.counts["overflow"] += 1
        self._kept.append(update)

    def _open(self, verdict: Verdict, gap: Gap, reason: str = "") -> Outcome:
        self.gap = gap
        return Outcome(verdict, changed=True, gap=gap, reason=reason)

    def _refuse(self, update: BookUpdate, reason: str) -> Outcome:
        if update.snapshot or not self.live:
            return Outcome(Verdict.REFUSED, reason=reason)
        expected = update.first_sequence if self.last is None else self.last + 1
        words = f"a change cannot be read: {reason}"
        return self._open(Verdict.REFUSED, Gap(expected, 0, update.receive_time, words), reason)

    # Snapshots

    def _snapshot(self, update: BookUpdate) -> Outcome:
        number = update.last_sequence
        anew = update.reset or not number
        if not anew:
            if self.last is not None and number < self.last:
                return Outcome(Verdict.STALE)
            following = next((u for u in self._kept if u.last_sequence > number), None)
            missing = self.gap.expected if self.gap and self.last is not None and not following else 0
            if (following and following.first_sequence > number + 1) or missing > number:
                return Outcome(Verdict.BEHIND)
        try:
            bids, asks = self._whole(update)
        except _Wrong as error:
            return self._refuse(update, str(error))
        healed = self.gap is not None
        if anew and self.last is not None:
            self._kept.clear()
        self.ladder.replace(bids, asks)
        self._cut()
        self.gap, self.waiting = None, False
        self.last, self._newest, self._straddles = number or None, (0, 0), True
        self._stamp(update)
        gap = self._catch_up()
        return Outcome(Verdict.APPLIED, changed=True, whole=True, gap=gap, healed=healed and gap is None)

    def _catch_up(self) -> Gap | None:
        """Applies the kept diffs as far as they connect; returns the next gap, if there is one."""
        while self._kept:
            update = self._kept[0]
            known = self.last
            if known is not None and update.last_sequence <= known:
                self._kept.popleft()
                continue
            if known is not None and update.first_sequence > known + 1:
                self.gap = Gap(known + 1, update.first_sequence, update.receive_time, "changes did not come")
                return self.gap
            self._kept.popleft()
            try:
                self._change(update)
            except _Wrong as error:
                words = f"a change cannot be read: {error}"
                self.gap = Gap(update.first_sequence, 0, update.receive_time, words)
                return self.gap
        return None

    # Content

    def _whole(self, update: BookUpdate) -> tuple[Levels, Levels]:
        if update.entries or (self._entries is not None and not (update.bids or update.asks)):
            _check_entries(update.entries, snapshot=True)
            entries = Entries()
            entries.apply(update.entries)
            if update.bids or update.asks:
                raise _Wrong("it has levels and entries")
            self._entries = entries
            return entries.levels(bids=True), entries.levels(bids=False)
        for levels in (update.bids, update.asks):
            _check(levels, snapshot=True)
            if len({price for price, _ in levels}) != len(levels):
                raise _Wrong("a price stands there twice")
        self._entries = None
        return update.bids, update.asks

    def _change(self, update: BookUpdate) -> Outcome:
        bids, asks = update.bids, update.asks
        if update.entries:
            if self._entries is None or bids or asks:
                raise _Wrong("it names entries, where the book has levels")
            _check_entries(update.entries, snapshot=False)
            bids, asks = self._entries.apply(update.entries)
        elif self._entries is not None and (bids or asks):
            raise _Wrong("it has levels, where the book names its entries")
        else:
            _check(bids, snapshot=False)
            _check(asks, snapshot=False)
        outcome = Outcome(Verdict.APPLIED, changed=True)
        if bids:
            outcome.bids = _set(self.ladder.bids, bids)
        if asks:
            outcome.asks = _set(self.ladder.asks, asks)
        if update.last_sequence:
            self.last, self._newest = update.last_sequence, (update.first_sequence, update.last_sequence)
        self._straddles = False
        self._stamp(update)
        return outcome

    def _stamp(self, update: BookUpdate) -> None:
        self.closed = update.closed
        self.venue_time, self.receive_time = update.venue_time, update.receive_time

    def _cut(self) -> None:
        self.ladder.bids.cut(LEVELS_MAX)
        self.ladder.asks.cut(LEVELS_MAX)


def _set(side: Side, levels: Levels) -> list[LevelChange]:
    """Sets levels and returns what is different; of a price that comes twice the last counts."""
    before: dict[float, float] = {}
    for price, quantity in levels:
        was = side.set(price, quantity)
        before.setdefault(price, was)
    if len(side) > LEVELS_MAX:
        for price, quantity in side.cut(LEVELS_MAX):
            before.setdefault(price, quantity)
    changes = []
    for price, was in before.items():
        now = side.quantity(price)
        if now != was:
            action = Action.NEW if not was else Action.CHANGE if now else Action.DELETE
            changes.append(LevelChange(action, price, now))
    return changes


def _check(levels: Levels, *, snapshot: bool) -> None:
    if len(levels) > UPDATE_LEVELS_MAX:
        raise _Wrong(f"it has {len(levels)} levels, at most {UPDATE_LEVELS_MAX} are taken")
    for price, quantity in levels:
        # Comparisons with NaN are false.
        if not 0.0 < price < math.inf:
            raise _Wrong(f"the price {price} is not a positive number")
        if not 0.0 <= quantity < math.inf or (snapshot and not quantity):
            raise _Wrong(f"the quantity {quantity} at {price} is not a positive number")


def _check_entries(entries: Iterable[EntryUpdate], *, snapshot: bool) -> None:
    entries = list(entries)
    gone = [e for e in entries if not e.quantity]
    if snapshot and gone:
        raise _Wrong(f"the quantity of entry {gone[0].id!r} is not a positive number")
    _check([(e.price, e.quantity) for e in entries if e.quantity], snapshot=True)
