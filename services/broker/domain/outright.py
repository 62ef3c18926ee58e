"""Rates of forwards and swaps out of spot and points: a client sells at the bids of both and buys at the offers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

FINER_PLACES = 1
"""Decimal places that rates of dated deals have more than spot, as forward points have."""
FINER = 10**FINER_PLACES


def outright(bid: int, ask: int, points_bid: Decimal, points_offer: Decimal, tick: Decimal) -> tuple[int, int]:
    """Both sides of a forward, in fine ticks; 0 for a side that there is not.

    Args:
        bid: of spot, in fine ticks; 0 for none.
        ask: likewise.
        points_bid: on top of spot for who sells, in units of the price, of either sign.
        points_offer: for who buys.
        tick: the fine tick, in units of the price.

    The bid is rounded down and the offer up: never for the client.
    """
    low = int((points_bid / tick).to_integral_value(ROUND_FLOOR))
    high = int((points_offer / tick).to_integral_value(ROUND_CEILING))
    return max(bid + low, 0) if bid else 0, max(ask + high, 0) if ask else 0


@dataclass(frozen=True, slots=True)
class SwapRates:
    """Rates of both legs, counter per base."""

    near: Decimal
    far: Decimal

    def within(self, limit: Decimal | None, buys: bool) -> bool:
        """Whether its points, the far rate less the near one, are a limit or better.

        Args:
            limit: on the points, of either sign or zero; None for none.
            buys: whether the client buys on the far date, and pays the points; otherwise he gets them.
        """
        points = self.far - self.near
        return limit is None or (points <= limit if buys else points >= limit)


def swap_rates(
    buys: bool, net: int, near: Decimal, half_spread: Decimal, points_bid: Decimal, points_offer: Decimal, tick: Decimal
) -> SwapRates:
    """Both rates of a swap.

    Args:
        buys: whether the client buys on the far date.
        net: what the far leg has more than the near one, signed by what the client buys over all; 0 of an even swap.
        near: the near rate around the middle of spot, the same for both sides.
        half_spread: half of spot's spread, which an uneven swap pays: it exchanges its net as well.
        points_bid: the far rate less the near one for who sells on the far date.
        points_offer: for who buys.
        tick: to which rates are rounded: points against the client, the reference for an uneven swap likewise.
    """
    way = ROUND_CEILING if buys else ROUND_FLOOR
    points = _to(points_offer if buys else points_bid, tick, way)
    if net:
        reference = _to(
            near + (half_spread if net > 0 else -half_spread), tick, ROUND_CEILING if net > 0 else ROUND_FLOOR
        )
    else:
        # Both legs move by it in opposite directions: it costs nobody anything.
        reference = _to(near, tick, ROUND_FLOOR)
    return SwapRates(reference, reference + points)


def _to(value: Decimal, tick: Decimal, way: str) -> Decimal:
    return (value / tick).to_integral_value(way) * tick
