"""Own orders and fills against a venue's drop copy and statement, as they come: what agrees is forgotten.

A difference is a finding while it stands, and a break once it has stood for the grace time. Each difference has its own
clock, which begins anew when one of the books moves: what is under way never becomes a break.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.broker.domain import words
from services.broker.domain.books import Fill, OwnOrder, StatedOrder, Statement
from services.broker.domain.breaks import Action, Finding, Kind, Says

SETTLED_MAX = 100_000
"""Fills that agree and stay in memory, for what is taken back or corrected later."""


@dataclass(slots=True)
class Pair:
    """One deal in our books and in the venue's. `since_ns`: when one of them last moved."""

    ours: Fill | None = None
    theirs: Fill | None = None
    since_ns: int = 0
    twin: str | None = None
    """The fill that it repeats; empty for none, None while that was not looked for."""

    @property
    def agrees(self) -> bool:
        """Whether both say the same; also that it was taken back."""
        if self.ours is None or self.theirs is None:
            return self.ours is self.theirs
        return self.ours.agrees(self.theirs)


@dataclass(slots=True)
class Compared:
    """How much was compared since the matcher began."""

    ours: int = 0
    theirs: int = 0
    orders: int = 0


@dataclass(slots=True)
class _Standing:
    evidence: str
    since_ns: int


@dataclass(slots=True)
class Unbooked:
    """A fill that trading, or then the ledger, is to have.

    Attributes:
        since_ns: since when it answers that it has not; None before it answered.
        says: what it has instead.
        fault: why it books nothing further; of the ledger.
    """

    fill: Fill
    told_id: str
    since_ns: int | None = None
    says: Fill | None = None
    fault: str = ""

    def answered(self, said: Fill | None, now_ns: int) -> bool:
        """Whether it has the fill as it was told."""
        if said is not None and said.agrees(self.fill):
            return True
        if self.since_ns is None or self.says != said:
            self.since_ns, self.says = now_ns, said
        return False


@dataclass(slots=True)
class Matcher:
    """One venue's books. Times are ns since 1970 UTC, the caller's clock.

    Attributes:
        copied: whether the venue has a drop copy; without one fills are compared with nothing.
        copy_since_ns: since when the drop copy is heard without a break; None while it is not.
        late_s: for how long an order may be unanswered.
        grace_ns: for how long a fill may be in one book alone before it is looked whether it repeats another.
    """

    copied: bool = True
    copy_since_ns: int | None = 0
    late_s: float = 30.0
    grace_ns: int = 5_000_000_000
    compared: Compared = field(default_factory=Compared)
    open: dict[str, Pair] = field(default_factory=dict)
    unbooked: dict[str, Unbooked] = field(default_factory=dict)
    unledgered: dict[str, Unbooked] = field(default_factory=dict)
    _settled: OrderedDict[str, Pair] = field(default_factory=OrderedDict)
    _alias: dict[str, str] = field(default_factory=dict)
    _net: dict[str, list[int]] = field(default_factory=dict)
    _standing: dict[tuple[Kind, str], _Standing] = field(default_factory=dict)

    # What the books say, as it comes.

    def knows(self, exec_id: str) -> bool:
        """Whether a fill is in memory, so that it can be taken back or corrected."""
        root = self._alias.get(exec_id, exec_id)
        return root in self.open or root in self._settled

    def ours(self, exec_id: str, fill: Fill | None, now_ns: int, ref: str = "") -> None:
        """Our book has a fill, or has it no more (None), or another way (with `ref`, the fill that it replaces)."""
        self.compared.ours += 1
        self._put(exec_id, fill, now_ns, ref, own=True)

    def theirs(self, exec_id: str, fill: Fill | None, now_ns: int, ref: str = "") -> None:
        """The drop copy likewise."""
        self.compared.theirs += 1
        self._put(exec_id, fill, now_ns, ref, own=False)

    def adjusted(self, fill: Fill) -> None:
        """A fill that two persons booked for what no book tells: both sides have it."""
        net = self._net.setdefault(fill.instrument, [0, 0])
        net[0] += fill.signed
        net[1] += fill.signed

    def _put(self, exec_id: str, fill: Fill | None, now_ns: int, ref: str, own: bool) -> None:
        root = self._alias.get(ref or exec_id, ref or exec_id)
        if root != exec_id:
            self._alias[exec_id] = root
        pair = self.open.get(root) or self._settled.pop(root, None) or Pair()
        before = pair.ours if own else pair.theirs
        for each, sign in ((before, -1), (fill, 1)):
            if each is not None:
                self._net.setdefault(each.instrument, [0, 0])[0 if own else 1] += sign * each.signed
        if own:
            pair.ours = fill
        else:
            pair.theirs = fill
        pair.since_ns, pair.twin = now_ns, None
        if pair.agrees or not self.copied:
            self.open.pop(root, None)
            self._settled[root] = pair
            while len(self._settled) > SETTLED_MAX:
                gone, _ = self._settled.popitem(last=False)
                self._alias.pop(gone, None)
        else:
            self.open[root] = pair

    def recall(self, exec_id: str, ours: Fill | None, theirs: Fill | None, now_ns: int) -> None:
        """A fill that both books had agreed on before what is in memory; positions have it already."""
        pair = Pair(ours, theirs, now_ns)
        if pair.agrees:
            self._settled[exec_id] = pair

    def expect_booked(self, fill: Fill, told_id: str) -> None:
        """Trading is to have a fill, under the id that it was told, and the ledger after it."""
        self.unledgered.pop(fill.exec_id, None)
        self.unbooked[fill.exec_id] = Unbooked(fill, told_id)

    def booked(self, exec_id: str, said: Fill | None, now_ns: int) -> None:
        """What trading answers of a fill: None for that it has none."""
        waits = self.unbooked.get(exec_id)
        if waits is not None and waits.answered(said, now_ns):
            del self.unbooked[exec_id]
            self.unledgered[exec_id] = Unbooked(waits.fill, waits.told_id)

    def ledgered(self, exec_id: str, said: Fill | None, fault: str, now_ns: int) -> None:
        """What the ledger answers of a fill that trading has: None for that it has none; `fault` says why."""
        waits = self.unledgered.get(exec_id)
        if waits is None:
            return
        waits.fault = fault
        if waits.answered(said, now_ns):
            del self.unledgered[exec_id]

    def forget_booked(self, exec_id: str) -> None:
        """A fill was taken back: trading and the ledger need not have it any more."""
        for each in (self.unbooked, self.unledgered):
            each.pop(self._alias.get(exec_id, exec_id), None)

    def held(self) -> dict[str, int]:
        """Positions by our book, by instrument."""
        return {instrument: ours for instrument, (ours, _) in self._net.items()}

    # What differs.

    def findings(self, statement: Statement | None, now_ns: int) -> list[Finding]:
        """Everything that differs now; `since_ns` says for how long.

        Args:
            statement: what the venue states; None while it cannot be asked: what it was about before still stands.
        """
        found = [self._fill(root, pair, now_ns) for root, pair in self.open.items()]
        for each in self.unbooked.values():
            if each.since_ns is not None:
                found.append(words.unbooked(each.fill, each.says, each.since_ns))
        for each in self.unledgered.values():
            if each.since_ns is not None:
                found.append(words.unledgered(each.fill, each.says, each.fault, each.since_ns))
        if statement is None:
            return found
        touched = {each.order_id for pair in self.open.values() for each in (pair.ours, pair.theirs) if each}
        touched |= {each.venue_order_id for pair in self.open.values() for each in (pair.ours, pair.theirs) if each}
        touched.discard("")
        stated = self._orders(statement, touched)
        stated += self._positions(statement)
        standing: dict[tuple[Kind, str], _Standing] = {}
        for each in stated:
            key = each.kind, each.subject
            known = self._standing.get(key)
            if known is None or known.evidence != each.evidence:
                known = _Standing(each.evidence, now_ns)
            standing[key] = known
            found.append(words.since(each, known.since_ns))
        self._standing = standing
        return found

    def _fill(self, root: str, pair: Pair, now_ns: int) -> Finding:
        ours, theirs, since = pair.ours, pair.theirs, pair.since_ns
        if ours is not None and theirs is None:
            # Only since the drop copy is heard is its silence a word.
            since = max(since, self.copy_since_ns) if self.copy_since_ns is not None else 1 << 62
            if pair.twin is None and now_ns - since >= self.grace_ns:
                pair.twin = self._twin(root, ours)
            kind = Kind.DUPLICATE_FILL if pair.twin else Kind.UNKNOWN_FILL
            return words.fill(kind, root, ours, None, since, pair.twin or "")
        if ours is None:
            assert theirs is not None
            return words.fill(Kind.MISSING_FILL, root, None, theirs, since)
        assert theirs is not None
        if (ours.instrument, ours.side) != (theirs.instrument, theirs.side):
            kind = Kind.SIDE
        else:
            kind = Kind.QUANTITY if ours.quantity != theirs.quantity else Kind.PRICE
        return words.fill(kind, root, ours, theirs, since)

    def _twin(self, root: str, fill: Fill) -> str:
        """Another fill that both books have and that says the same deal of the same order."""
        for other, pair in reversed(self._settled.items()):
            had = pair.ours
            if other != root and had is not None and had.order_id == fill.order_id and had.agrees(fill):
                return other
        return ""

    def _orders(self, statement: Statement, touched: set[str]) -> list[Finding]:
        found = []
        stated = {each.order_id: each for each in statement.orders if each.order_id}
        for own in statement.own.values():
            if own.ended or own.order_id in touched or own.venue_order_id in touched:
                continue
            if own.unanswered_s > self.late_s:
                found.append(words.late(own))
            elif own.works and own.order_id not in stated:
                found.append(words.order(Kind.MISSING_AT_VENUE, own, None))
        for each in statement.orders:
            self.compared.orders += 1
            if each.order_id in touched or each.venue_order_id in touched:
                continue
            known = statement.own.get(each.order_id) if each.order_id else None
            if known is None:
                found.append(words.order(Kind.UNKNOWN_HERE, None, each))
            elif known.ended:
                found.append(words.order(Kind.STATE, known, each))
            elif known.works:
                found += self._terms(known, each)
        return found

    def _terms(self, own: OwnOrder, stated: StatedOrder) -> Iterable[Finding]:
        if (own.instrument, own.side) != (stated.instrument, stated.side):
            return [words.order(Kind.SIDE, own, stated, (Action.CANCEL_AT_VENUE, Action.ACCEPT))]
        if (own.quantity and own.quantity != stated.quantity) or own.filled != stated.filled:
            return [words.order(Kind.QUANTITY, own, stated, (Action.CANCEL_AT_VENUE, Action.ACCEPT))]
        if own.price is not None and stated.price is not None and own.price != stated.price:
            return [words.order(Kind.PRICE, own, stated, (Action.CANCEL_AT_VENUE, Action.ACCEPT))]
        return []

    def _positions(self, statement: Statement) -> list[Finding]:
        if statement.positions is None:
            return []
        found = []
        for instrument in sorted(self._net.keys() | statement.positions.keys()):
            ours, copied = self._net.get(instrument, (0, 0))
            states = statement.positions.get(instrument, 0)
            # Without a drop copy nobody but we have the venue's fills.
            if states != (copied if self.copied else ours):
                found.append(words.position(instrument, ours, copied if self.copied else None, states))
        return found


__all__ = ["Compared", "Matcher", "Pair", "Says"]
