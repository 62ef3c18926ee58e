"""Margin as values and back."""

from __future__ import annotations

import numpy as np

from crossrate.api.risk.v1 import margin_pb2 as pb
from services.risk.domain.book import Book
from services.risk.domain.margin import EXTREME_COVER, EXTREME_MULTIPLE, Grid, Requirements, Scan, Spread, points
from services.risk.messages.books import pair_of


def grid_of(message: pb.ScanMargin) -> Grid:
    """A grid, with its customary values where it says none.

    Raises:
        Refused: a spread's pair is none.
    """
    spreads = []
    for i, each in enumerate(message.spreads):
        field = f"scan.spreads[{i}]"
        first, second = pair_of(each.first, f"{field}.first"), pair_of(each.second, f"{field}.second")
        ratios = [getattr(each, name) if each.HasField(name) else 1.0 for name in ("first_ratio", "second_ratio")]
        spreads.append(Spread(first, second, *ratios, each.credit_rate, each.same_side, field))
    return Grid(
        tuple(Scan(each.price_scan, each.volatility_scan, each.short_option_minimum) for each in message.scans),
        message.extreme_multiple if message.HasField("extreme_multiple") else EXTREME_MULTIPLE,
        message.extreme_cover if message.HasField("extreme_cover") else EXTREME_COVER,
        tuple(spreads),
        message.credit_option_value,
    )


def tables_of(message: pb.TieredMargin) -> list[list[tuple[float, float]]]:
    """Bounds and rates of the tables."""
    return [[(tier.bound, tier.rate) for tier in table.tiers] for table in message.tables]


def requirement_message(
    book: Book, found: Requirements, group: int, ratio: float, grid: Grid | None
) -> pb.MarginRequirement:
    """What one group needs."""
    maintenance = float(found.maintenance[group])
    answer = pb.MarginRequirement(
        maintenance=maintenance, initial=maintenance * ratio, option_value=found.option_value[group]
    )
    for i in np.flatnonzero(found.positions[group]).tolist():
        pair = answer.pairs.add(
            instrument=str(book.pairs[i]),
            risk=found.risk[group, i],
            spread_credit=found.credit[group, i],
            short_option_minimum=found.short_minimum[group, i],
            reporting_delta=found.delta[group, i],
        )
        place = int(found.worst[group, i])
        if grid is not None and place >= 0:
            point = points(grid, grid.scans[i if len(grid.scans) > 1 else 0])[place]
            pair.worst.index, pair.worst.name = point.index, point.name
            pair.worst.spot_move, pair.worst.volatility_move = point.spot_move, point.volatility_move
            pair.worst.cover = point.cover
    return answer
