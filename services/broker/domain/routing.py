"""Which venue an order goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a venue takes orders now, and why not; whether it takes amendments."""

    ready: bool
    enabled: bool
    why: str = ""
    amends: bool = True
    gated: frozenset[str] = frozenset()
    """Instruments in which a break gates it: what may go elsewhere goes elsewhere."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One route: patterns of instruments and accounts, and venues in the order in which they are tried."""

    instruments: tuple[str, ...]
    accounts: tuple[str, ...]
    venues: tuple[str, ...]

    def fits(self, instrument: str, account: str) -> bool:
        """Whether an order of an account in an instrument takes this route."""
        return any(_instrument_fits(each, instrument) for each in self.instruments) and any(
            each == account or (each.endswith("*") and account.startswith(each[:-1])) for each in self.accounts
        )


class NoVenue(ValueError):
    """No venue takes the order; the text says why, and what to do."""


def choose(
    rules: Sequence[Rule],
    standings: Mapping[str, Standing],
    instrument: str,
    account: str,
    pinned: str = "",
    tried: frozenset[str] = frozenset(),
    unable: frozenset[str] = frozenset(),
) -> str:
    """The venue of an order: the one that it names, else the first of its route that is ready, else the first that
    is enabled, where it waits a while.

    Args:
        tried: venues that had it before and could not send it.
        unable: venues that do not deal it; one of them gets it, and says so, where the route has no other.

    Raises:
        NoVenue: there is none.
    """
    if pinned:
        standing = standings.get(pinned)
        if standing is None:
            raise NoVenue(f"venue: there is no venue {pinned!r}; ListVenues has them")
        if not standing.enabled or pinned in tried:
            raise NoVenue(f"venue: {pinned} does not take orders: {standing.why}; leave `venue` empty for another")
        return pinned
    rule = next((each for each in rules if each.fits(instrument, account)), None)
    if rule is None:
        raise NoVenue(f"no route fits {instrument} of account {account}: add one to mesh/venues.toml")
    usable = [name for name in rule.venues if name in standings and name not in tried]
    usable = [name for name in usable if name not in unable] or usable
    for gated in (False, True):
        for name in usable:
            standing = standings[name]
            if standing.ready and standing.enabled and (instrument in standing.gated) is gated:
                return name
    for name in usable:
        if standings[name].enabled:
            return name
    words = "; ".join(f"{name}: {standings[name].why}" for name in rule.venues if name in standings)
    raise NoVenue(f"no venue of the route takes orders now: {words}")


def nowhere_else(rules: Sequence[Rule], gated: frozenset[str], instrument: str) -> bool:
    """Whether orders that name no venue may have to go to one that is gated: a route has no other."""
    return any(
        set(rule.venues) <= gated
        for rule in rules
        if any(_instrument_fits(each, instrument) for each in rule.instruments)
    )


def _instrument_fits(pattern: str, instrument: str) -> bool:
    if pattern in ("*", instrument):
        return True
    base, _, counter = pattern.partition("/")
    return "*" in (base, counter) and base in ("*", instrument[:3]) and counter in ("*", instrument[4:])
