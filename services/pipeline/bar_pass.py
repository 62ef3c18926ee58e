"""One pass over a file of bars: kept as the venue wrote them, judged, and laid beside bars built of quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import parse_pair
from crossrate.files.candles import Candles
from crossrate.files.failure import FileFailure
from crossrate.files.shape import ASK_SIDE, BID_SIDE, Side
from crossrate.ticks.bar_comparison import Comparison, compare
from crossrate.ticks.bars import Bars
from crossrate.ticks.clock import SECOND
from crossrate.ticks.columns import Flag, Ticks
from crossrate.ticks.periods import Period
from crossrate.ticks.quality import Report
from crossrate.ticks.thresholds import Finding
from services.pipeline.domain.progress import Inspected, Span
from services.pipeline.domain.specification import Specification
from services.pipeline.file_pass import Pass, Quarantined
from services.pipeline.work import Work

if TYPE_CHECKING:
    from crossrate.history.bars import BarBatch

BARS_MAX = 10_000_000
"""Bars of one file: they are held until all are judged."""

Built = Callable[[str, Period, int, int], Bars]
"""Bars of an instrument built of the reference's quotes, that begin from a time to before another."""


class BarPass(Pass):
    """Bars of one file."""

    def __init__(
        self,
        path: Path,
        spec: Specification,
        work: Work,
        others: Iterable[tuple[str, Span]],
        unchanged: Callable[[], bool],
        *,
        built: Built | None = None,
    ) -> None:
        """For one file.

        Args:
            path, spec, work, others, unchanged: see Pass.
            built: where the reference's bars come from; None if they are not looked at.
        """
        super().__init__(path, spec, work, others, unchanged)
        self._built = built

    def batches(self) -> Iterator[Any]:
        """See Pass. A file of bars is small against one of quotes, and has no checkpoints."""
        from crossrate.files.reader import read

        size = self._path.stat().st_size
        self._work.density(self._path)
        parts: dict[str, list[Candles]] = {}
        flags: dict[str, list[NDArray]] = {}
        for chunk in read(self._path, self._spec.effective_shape, instrument=self._spec.map.instrument):
            self._work.check()
            assert chunk.candles is not None, "the shape is of bars"
            self._count(replace(chunk, ticks=self._closes(chunk.candles)))
            parts.setdefault(chunk.instrument, []).append(chunk.candles)
            judged = self._inspector(chunk.instrument, chunk.member).add(self._closes(chunk.candles))
            flags.setdefault(chunk.instrument, []).extend(each.flags for each in judged)
            found = self.reading
            if found.rows > BARS_MAX:
                raise FileFailure(chunk.member, f"has more than {BARS_MAX} bars; split it")
            self._work.seen(size, found.lines, found.rows, found.rejected)
        if not self._unchanged():
            raise FileFailure(str(self._path), "changed while it was being read; load it when it is complete")
        batches = []
        for instrument, candles in parts.items():
            rest = self._inspectors[instrument].finish()
            whole = np.concatenate([np.empty(0, np.uint8), *flags[instrument], *(each.flags for each in rest)])
            batches.append(self._batch(instrument, Candles.concatenated(candles), whole))
        self._judge_bars(batches)
        yield from batches

    @property
    def _sides(self) -> tuple[bool, bool]:
        """Whether the file has bids, and asks."""
        roles = set(self._spec.shape.roles)
        bid, ask = set(BID_SIDE) <= roles, set(ASK_SIDE) <= roles
        if bid or ask:
            return bid, ask
        side = self._spec.shape.side
        return side in (Side.BID, Side.MID), side in (Side.ASK, Side.MID)

    def _closes(self, candles: Candles) -> Ticks:
        """What is judged: the close of each bar, one nanosecond before its end. Where there is one side only, it stands
        for both, so that gaps and outliers are seen."""
        bid, ask = self._sides
        return Ticks.of(
            candles.end - 1,
            candles.bid_close if bid else candles.ask_close,
            candles.ask_close if ask else candles.bid_close,
        )

    def _batch(self, instrument: str, candles: Candles, flags: NDArray) -> BarBatch:
        from crossrate.history.bars import PRICES, BarBatch

        if not all(self._sides):
            flags = flags & ~np.uint8(Flag.LOCKED)
        block = {
            "venue_time": candles.begin,
            "close_time": candles.end,
            **{name: getattr(candles, name) for name in PRICES},
            "volume": candles.volume,
            "flags": flags.astype(np.int16),
        }
        return BarBatch(self._spec.target.venue, instrument, block)

    def _judge_bars(self, batches: list[BarBatch]) -> None:
        quality, reading = self._spec.quality, self.reading
        problems: list[str] = []
        for batch in sorted(batches, key=lambda each: each.instrument):
            instrument, begin = batch.instrument, batch.block["venue_time"]
            report = self._report(instrument, begin, batch.block["close_time"])
            rejected = self._rejected[instrument]
            findings = [each for each in quality.judge(report, rejected=rejected).findings if self._applies(each)]
            twice = len(begin) - len(np.unique(np.stack([begin, batch.block["close_time"]]), axis=1)[0])
            if quality.bars_twice_max is not None:
                limit = quality.bars_twice_max
                findings.append(Finding("bars_twice_max", twice, limit, twice <= limit))
            comparison, why = self._compared(instrument, batch)
            if why:
                problems.append(f"{instrument} cannot be compared with {quality.reference}, `quality.reference`: {why}")
            if comparison is not None and quality.bar_difference_p95_pips_max is not None:
                figure, limit_pips = comparison.p95, quality.bar_difference_p95_pips_max
                findings.append(Finding("bar_difference_p95_pips_max", figure, limit_pips, figure <= limit_pips))
            if len(begin):
                span = Span(instrument, report.rows, int(begin.min()), int(begin.max()))
                reading.spans.append(span)
                findings += self._overlaps(span, problems)
            reading.inspected.append(Inspected(instrument, report, rejected, tuple(findings), comparison))
            broken = [str(each) for each in reading.inspected[-1].broken if each.rule != "overlaps_max"]
            if broken:
                problems.append(f"{instrument} breaks {'; '.join(broken)}")
        if problems:
            raise Quarantined("; ".join(problems))

    def _report(self, instrument: str, begin: NDArray, end: NDArray) -> Report:
        """The report of the closes, with the times of the bars; without spreads where there is one side."""
        report = self._inspectors[instrument].report()
        times = {"first_time": int(begin.min()), "last_time": int(begin.max())} if len(begin) else {}
        alone = {} if all(self._sides) else {"locked": 0, "spread_points": {}}
        return replace(report, **times, **alone)

    def _applies(self, finding: Finding) -> bool:
        return all(self._sides) or finding.rule not in ("locked_share_max", "crossed_share_max")

    def _compared(self, instrument: str, batch: BarBatch) -> tuple[Comparison | None, str]:
        """How the bars stand to built ones, or why that cannot be told; neither if nobody asks."""
        if self._built is None or not len(batch.block["venue_time"]):
            return None, ""
        lengths = np.unique(batch.block["close_time"] - batch.block["venue_time"])
        period = next((each for each in Period if each.step == lengths[0]), None)
        if len(lengths) > 1 or period is None:
            return None, f"bars of {', '.join(f'{each / SECOND:g} s' for each in lengths[:3])} are of no one period"
        ours = _bars(batch, self._sides)
        theirs = self._built(instrument, period, int(ours.open_time[0]), int(ours.open_time[-1]) + 1)
        self._work.check()
        if not len(theirs):
            return None, "it has no quotes of that time"
        return compare(ours, theirs, _pip(instrument)), ""


def _bars(batch: BarBatch, sides: tuple[bool, bool]) -> Bars:
    """Bars in the order of time, of one begin the last."""
    from crossrate.history.bars import PARTS
    from crossrate.ticks.ohlc import Ohlc

    begin = batch.block["venue_time"]
    order = np.argsort(begin, kind="stable")
    order = order[np.append(np.diff(begin[order]) > 0, True)]
    block = {name: column[order] for name, column in batch.block.items()}
    times, count = block["venue_time"], len(order)

    def side(name: str) -> Ohlc:
        return Ohlc(*(block[f"{name}_{part}"] for part in PARTS), times, block["close_time"] - 1)

    none, unknown = np.zeros(count, np.uint64), np.full(count, np.nan)
    return Bars(
        times,
        block["close_time"],
        side("bid") if sides[0] else None,
        side("ask") if sides[1] else None,
        None,
        np.zeros(count, np.int64),
        unknown,
        unknown,
        none,
        none,
        times,
        block["close_time"] - 1,
        block["flags"].astype(np.uint8),
        np.ones(count, np.bool_),
    )


def _pip(instrument: str) -> float:
    try:
        known = CONVENTIONS.get(parse_pair(instrument))
    except ValueError:
        known = None
    return 10.0**-known.pip_places if known is not None else 1e-4
