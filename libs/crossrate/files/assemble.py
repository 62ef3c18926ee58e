"""From parsed columns to quotes and bars in UTC: what needs the rows before, so one block after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.files.candles import Candles
from crossrate.files.chunk import Chunk
from crossrate.files.failure import FileFailure, Rejected
from crossrate.files.fields import Fields
from crossrate.files.parse import Parsed
from crossrate.files.plan import Plan
from crossrate.files.shape import ASK_SIDE, BID_SIDE, Kind, Role, Side, Stamp
from crossrate.ticks.clock import SECOND, UTC_CLOCK, Resolver
from crossrate.ticks.columns import COLUMNS, Ticks


class Assembler:
    """Turns the blocks of one member into quotes or bars."""

    def __init__(self, plan: Plan) -> None:
        """For one member."""
        self.plan = plan
        bars = plan.shape.kind is Kind.BARS
        self._resolver = Resolver(plan.clock, disorder_ns=0 if bars else None)
        self._carried: dict[Role, float] = {}
        self._interval = (plan.shape.interval_s or 0) * SECOND

    def state(self) -> dict[str, Any]:
        """What the rows so far say about those that follow, as JSON takes it."""
        return {
            "interval": self._interval,
            "carried": {str(role): price for role, price in self._carried.items()},
            "passed": self._resolver.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on where another assembler of the same plan was."""
        self._interval = int(state["interval"])
        self._carried = {Role(name): float(price) for name, price in state["carried"].items()}
        self._resolver.restore(state["passed"])

    def add(self, part: Parsed, lines: int, *, too_long: Rejected | None = None, member: str) -> Chunk:
        """The next rows.

        Args:
            part: of a block.
            lines: lines that were read for it.
            too_long: a line behind it that was not read.
            member: where it is from.
        """
        fields = part.fields
        row_lines = part.line
        rejected = [*part.rejected, *([too_long] if too_long else [])]
        repeated = 0
        if self.plan.clock == UTC_CLOCK:
            utc = fields.time
        else:
            resolved = self._resolver.resolve(fields.time)
            utc, repeated = resolved.utc, int(np.count_nonzero(resolved.repeated))
            if resolved.missing.any():
                rejected += self._missing(part, np.flatnonzero(resolved.missing))
                kept = np.flatnonzero(~resolved.missing)
                utc = utc[kept]
                fields = Fields(utc, {role: values[kept] for role, values in fields.numbers.items()}, fields.good[kept])
                row_lines = kept + part.first if row_lines is None else row_lines[kept]
        numbers = {role: self._scaled(role, values) for role, values in fields.numbers.items()}
        candles = self._candles(utc, numbers) if self.plan.shape.kind is Kind.BARS else None
        ticks = self._quotes(utc, numbers) if candles is None else candles.quotes()
        rejected.sort(key=lambda each: each.line)
        what = self.plan.instrument
        return Chunk(member, what, ticks, candles, tuple(rejected), lines, part.first, row_lines, repeated)

    def _missing(self, part: Parsed, rows: NDArray[np.int64]) -> list[Rejected]:
        """The lines of rows whose local time does not exist."""
        reason = f"time does not exist on the clock {self.plan.clock}, which goes forward over it; is it another clock?"
        lines = [part.line_of(int(row)) for row in rows]
        return [Rejected.of(line, text, reason) for line, text in zip(lines, part.texts_of(lines), strict=True)]

    def _scaled(self, role: Role, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """In price and in base currency; a price that did not change repeated."""
        shape = self.plan.shape
        if role is Role.SEQUENCE:
            return values
        if role in (Role.BID_QUANTITY, Role.ASK_QUANTITY) or (role is Role.VOLUME and shape.quantity_unit != 1):
            return values * shape.quantity_unit
        if role is Role.VOLUME:
            return values
        if self.plan.divisor != 1:
            values = values / self.plan.divisor
        return self._repeated(role, values) if shape.carry else values

    def _repeated(self, role: Role, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Empty cells filled with the price before, also of an earlier block."""
        known = ~np.isnan(values)
        if not known.all():
            last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
            values = np.where(last >= 0, values[np.maximum(last, 0)], self._carried.get(role, np.nan))
        if len(values):
            self._carried[role] = float(values[-1])
        return values

    def _quotes(self, utc: NDArray[np.int64], numbers: dict[Role, NDArray]) -> Ticks:
        """Quotes; columns that the file has not are one value, repeated without memory."""
        count = len(utc)
        given = {
            "venue_time": utc,
            "bid": numbers[Role.BID],
            "ask": numbers[Role.ASK],
            "bid_quantity": numbers.get(Role.BID_QUANTITY),
            "ask_quantity": numbers.get(Role.ASK_QUANTITY),
            "sequence": numbers.get(Role.SEQUENCE),
        }
        columns = {}
        for name, kind in COLUMNS.items():
            values = given.get(name)
            if values is None:
                nothing = np.array(np.nan if kind is np.float64 else 0, kind)
                columns[name] = np.broadcast_to(nothing, (count,))
            elif name == "sequence":
                columns[name] = np.nan_to_num(values, nan=0).astype(kind)
            else:
                columns[name] = values
        return Ticks(**columns)

    def _candles(self, utc: NDArray[np.int64], numbers: dict[Role, NDArray]) -> Candles:
        """Bars with their ends."""
        interval = self._length(utc)
        begin = utc if self.plan.shape.stamp is Stamp.BEGIN else utc - interval
        nothing = np.full(len(utc), np.nan)
        sides: dict[Side, list[NDArray]] = {Side.BID: [nothing] * 4, Side.ASK: [nothing] * 4}
        for side in self.plan.sides:
            prices = [numbers[role] for role in side]
            # A mid stands for both sides: nothing is known of the spread.
            targets = {BID_SIDE: (Side.BID,), ASK_SIDE: (Side.ASK,)}.get(side, (self.plan.shape.side,))
            for target in (Side.BID, Side.ASK) if targets == (Side.MID,) else targets:
                sides[target] = prices
        return Candles(begin, begin + interval, *sides[Side.BID], *sides[Side.ASK], numbers.get(Role.VOLUME, nothing))

    def _length(self, utc: NDArray[np.int64]) -> int:
        """The length of a bar: as declared, or the most common distance of the first block's rows.

        Raises:
            FileFailure: neither is there.
        """
        if not self._interval:
            steps = np.diff(utc)
            steps = steps[steps > 0]
            if not len(steps):
                raise FileFailure(self.plan.instrument, "has too few bars to tell their length; declare `interval_s`")
            lengths, counts = np.unique(steps, return_counts=True)
            self._interval = int(lengths[np.argmax(counts)])
        return self._interval
