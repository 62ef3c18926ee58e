"""Where instructions go: by routes, by how venues stand, and by where their order is already."""

from __future__ import annotations

from collections.abc import Sequence

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from services.broker.domain.amounts import quantity_of
from services.broker.domain.routing import NoVenue, Rule, Standing, choose
from services.broker.engine.session import Session, Sessions, VenueRow, Wanted
from services.broker.routed import At, Routed, Told
from services.broker.store.outcome import Entry
from services.broker.store.reading import Reading
from services.broker.venues.declared import Venues
from services.broker.venues.exchange_terms import dated


class Router:
    """See the module."""

    def __init__(self, declared: Venues, sessions: Sessions, reading: Reading, fresh_s_max: float) -> None:
        self.rules = [Rule(each.instruments, each.accounts, each.venues) for each in declared.routes]
        self._names = list(declared.venues)
        self._not_dealing = {
            what: frozenset(name for name, spec in declared.venues.items() if what not in getattr(spec, "deals", ()))
            for what in ("forward", "swap")
        }
        # FIX 4.4 has no word for a limit on swap points; others deal no swaps.
        fix = {name for name, spec in declared.venues.items() if spec.kind != "simulated"}
        self._not_dealing["limited swap"] = self._not_dealing["swap"] | fix
        self._sessions = sessions
        self._reading = reading
        self.fresh_s_max = fresh_s_max
        """A venue whose holder has not written for so long counts as away, seconds."""

    async def standings(self) -> dict[str, Standing]:
        """How each declared venue stands.

        Raises:
            StoreUnavailable: the database is away.
        """
        rows = await self._sessions.read()
        return {name: self.standing(rows[name]) for name in self._names if name in rows}

    async def elsewhere(self, order: order_pb2.Order, tried: str) -> str | None:
        """Another venue of an order's route that is ready; None for none.

        Raises:
            StoreUnavailable: the database is away.
        """
        standings, terms = await self.standings(), order.terms
        try:
            found = choose(
                self.rules,
                standings,
                terms.instrument,
                terms.account,
                tried=frozenset({tried}),
                unable=self.unable(order),
            )
        except NoVenue:
            return None
        return found if standings[found].ready else None

    def unable(self, order: order_pb2.Order) -> frozenset[str]:
        """Venues that do not deal what settles when the order does, or have no word for its limit."""
        what = "swap" if order.terms.HasField("far_leg") else "forward" if dated(order.terms) else ""
        if what == "swap" and order.terms.limit_price:
            what = "limited swap"
        return self._not_dealing.get(what, frozenset())

    def standing(self, row: VenueRow) -> Standing:
        """How a venue stands."""
        if row.wanted is not Wanted.ENABLED:
            word = "draining" if row.wanted is Wanted.DRAINING else "disabled"
            why = f"it was set {word} by {row.wanted_by}: {row.wanted_why or 'no reason given'}"
            return Standing(False, False, why, amends=row.wanted is Wanted.DRAINING)
        if row.heard_s > self.fresh_s_max:
            return Standing(False, True, "no instance has it")
        ready = row.session is Session.READY
        why = "" if ready else f"its session is {row.session.name.lower()}: {row.text}"
        return Standing(ready, True, why, gated=row.gated)

    async def entries(self, instructions: Sequence[routing.Instruction]) -> tuple[list[Entry], list[Routed], bool]:
        """Instructions with their venues, the orders that are new, and whether none of them was ever heard of.

        Raises:
            StoreUnavailable: the database is away.
        """
        ids = [each.order.order_id for each in instructions]
        rows, there, before = await self._sessions.read_with_orders(ids)
        standings = {name: self.standing(rows[name]) for name in self._names if name in rows}
        known = await self._reading.orders(there) if there else {}
        entries, fresh = [], []
        for each in instructions:
            routed = known.get(each.order.order_id)
            if each.kind == routing.INSTRUCTION_KIND_NEW:
                if routed is not None and routed.status is not At.ENDED:
                    entries.append(Entry(each, routed.venue))  # a repetition, or the venue's holder will say so
                    continue
                try:
                    terms = each.order.terms
                    unable = self.unable(each.order)
                    venue = choose(self.rules, standings, terms.instrument, terms.account, terms.venue, unable=unable)
                except NoVenue as error:
                    entries.append(Entry(each, "", refusal(each, str(error))))
                    continue
                routed = new_order(each.order, venue)
                known[each.order.order_id] = routed
                fresh.append(routed)
                entries.append(Entry(each, venue))
            elif routed is None:
                entries.append(Entry(each, "", refusal(each, "no venue was given the order")))
            elif each.kind == routing.INSTRUCTION_KIND_REPLACE and not _amends(standings.get(routed.venue)):
                words = f"{routed.venue} takes no amendments: {standings[routed.venue].why}; cancels pass"
                entries.append(Entry(each, "", refusal(each, words)))
            else:
                entries.append(Entry(each, routed.venue))
        return entries, fresh, not there and not before


def _amends(standing: Standing | None) -> bool:
    return standing is None or standing.amends


def new_order(order: order_pb2.Order, venue: str) -> Routed:
    """An order that is to be sent to a venue; its number comes when it is kept."""
    terms, earlier = order.terms, quantity_of(order.cum_quantity)
    return Routed(
        0, order.order_id, terms.account, venue, terms.instrument, At.HERE, order.version, "", 0, earlier, order
    )


_REFUSED = {
    routing.INSTRUCTION_KIND_NEW: (pb.VENUE_REPORT_KIND_REJECTED, execution.EXECUTION_REASON_NO_VENUE),
    routing.INSTRUCTION_KIND_STATUS: (pb.VENUE_REPORT_KIND_REJECTED, execution.EXECUTION_REASON_NO_VENUE),
    routing.INSTRUCTION_KIND_CANCEL: (pb.VENUE_REPORT_KIND_CANCEL_REJECTED, execution.EXECUTION_REASON_TOO_LATE),
    routing.INSTRUCTION_KIND_REPLACE: (pb.VENUE_REPORT_KIND_REPLACE_REJECTED, execution.EXECUTION_REASON_TOO_LATE),
}


def refusal(instruction: routing.Instruction, text: str) -> Told:
    """The answer to an instruction that goes nowhere."""
    kind, reason = _REFUSED[instruction.kind]
    order = instruction.order
    report = pb.VenueReport(
        account=order.terms.account,
        order_id=order.order_id,
        kind=kind,
        version=order.version,
        reason=reason,
        text=text,
        venue=order.terms.venue,
    )
    report.venue_time.GetCurrentTime()
    return Told(report)
