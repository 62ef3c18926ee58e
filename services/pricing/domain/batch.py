"""Many options as columns: what the kernel is given, from a request's arrays or from a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.pair import Pair
from crossrate.kernel.vanilla import Greeks
from services.pricing.domain.market import Snapshot, Standing
from services.pricing.domain.refusal import Refused

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The kernel's arguments in its order, arrays of one length."""

    put_or_call: NDArray[np.int8]
    spot: Array
    strike: Array
    time: Array
    volatility: Array
    domestic_rate: Array
    foreign_rate: Array

    def arrays(self) -> tuple[NDArray, ...]:
        """All columns, in the kernel's order."""
        return tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """Options as a request has them: `strike` says how many, the others have as many elements or one."""

    put_or_call: NDArray
    strike: Array
    time: Array

    def spread(self, values: NDArray, field: str) -> NDArray:
        """An array with one element for each option.

        Raises:
            Refused: it has neither that length nor a single element.
        """
        count = len(self.strike)
        if len(values) == count:
            return values
        if len(values) != 1:
            words = f"has {len(values)} elements for {count} options (strike has {count}): give 1 or {count}"
            raise Refused(field, words)
        return np.full(count, values[0], values.dtype)

    def with_premiums(self, market: Mapping[str, NDArray]) -> tuple[NDArray, ...]:
        """The arguments of the kernel's implied volatility, with arrays of the request by name.

        Raises:
            Refused: an array's length fits neither.
        """
        spread = {name: self.spread(values, name) for name, values in market.items()}
        return (
            self.spread(self.put_or_call, "put_or_call").astype(np.int8),
            spread["price"],
            spread["spot"],
            self.strike,
            self.spread(self.time, "time"),
            spread["domestic_rate"],
            spread["foreign_rate"],
        )

    def given(self, market: Mapping[str, NDArray]) -> Columns:
        """With a market that the request gives: its arrays by name.

        Raises:
            Refused: an array's length fits neither.
        """
        put_or_call = self.spread(self.put_or_call, "put_or_call").astype(np.int8)
        time = self.spread(self.time, "time")
        spread = {name: self.spread(values, f"given.{name}") for name, values in market.items()}
        return Columns(put_or_call=put_or_call, strike=self.strike, time=time, **spread)

    def of_snapshot(self, snapshot: Snapshot, pairs: Sequence[Pair], places: NDArray) -> Held:
        """With a snapshot: `places` says for each option which of the pairs it is on; empty for the first.

        Raises:
            Refused: an array's length fits neither, a place has no pair, a time is zero.
            Missing: the snapshot lacks a pair's spot rate, curve or surface.
            OutsideCalendar: a pair's spot date lies outside of what is known.
        """
        count = len(self.strike)
        put_or_call = self.spread(self.put_or_call, "put_or_call").astype(np.int8)
        time = self.spread(self.time, "time")
        if (time <= 0).any():
            i = int((time <= 0).argmax()) if len(self.time) > 1 else 0
            raise Refused(f"time[{i}]", f"is {time[i]}: an option on a snapshot must have some time left")
        place = self.spread(places if len(places) else np.zeros(1, np.int64), "snapshot.instrument_index")
        if (place >= len(pairs)).any():
            i = int((place >= len(pairs)).argmax()) if len(places) > 1 else 0
            words = f"is {place[i]}; there are {len(pairs)} instruments, counted from 0"
            raise Refused(f"snapshot.instrument_index[{i}]", words)
        spot, volatility, domestic, foreign, today, lag = np.empty((6, count))
        for i in np.unique(place).tolist():
            standing: Standing = snapshot.of(pairs[i])
            which = slice(None) if len(pairs) == 1 else np.flatnonzero(place == i)
            at = time[which]
            spot[which], today[which], lag[which] = standing.spot, standing.today, standing.spot_time
            domestic[which], foreign[which] = standing.domestic.growth(at) / at, standing.foreign.growth(at) / at
            volatility[which] = standing.volatility(at, self.strike[which])
        return Held(Columns(put_or_call, today, self.strike, time, volatility, domestic, foreign), spot, lag)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Columns from a snapshot, whose spot is for value today, with the quoted spot and the years to the spot date."""

    columns: Columns
    spot: Array
    lag: Array

    def quoted(self, found: Greeks) -> Greeks:
        """The kernel's sensitivities, which are to the rate for value today S₀, as sensitivities to the quoted spot S.

        S₀ = S·e^{(r_f − r_d)·t_s}: by the chain rule ∂S₀/∂S = S₀/S, ∂S₀/∂r_d = −t_s·S₀, ∂S₀/∂r_f = t_s·S₀.
        """
        today = self.columns.spot
        share = today / self.spot
        moved = found.delta * today * self.lag
        return replace(
            found,
            delta=found.delta * share,
            gamma=found.gamma * share**2,
            rho_domestic=found.rho_domestic - moved,
            rho_foreign=found.rho_foreign + moved,
        )
