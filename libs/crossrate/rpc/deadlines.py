"""How long a call may take, how much of it is kept back, and when it is not worth beginning."""

from __future__ import annotations

MARGIN_SHARE = 0.1
MARGIN_S_MAX = 0.02
"""Kept back from a unary call's time, so that this server can still say that it was the one that ran out of it."""

STREAM_MARGIN_SHARE = 0.05
STREAM_MARGIN_S_MAX = 1.0
"""Kept back from a stream's time, in which its handler ends it in an orderly way."""

SAMPLES_MIN = 32
"""Calls seen before an estimate refuses any."""
STEP = 0.03


def shave(remaining_s: float, streaming: bool) -> float:
    """The time that the work gets, of what is left until the deadline; in seconds, never negative."""
    if streaming:
        return max(0.0, remaining_s - min(STREAM_MARGIN_S_MAX, remaining_s * STREAM_MARGIN_SHARE))
    return max(0.0, remaining_s - min(MARGIN_S_MAX, remaining_s * MARGIN_SHARE))


class NeededTime:
    """What a method usually takes: its running median, by a step up or down for each call.

    After Ma, Muthukrishnan and Sandler (2014), "Frugal streaming for estimating quantiles", with steps relative to the
    estimate. It needs one number and forgets the past in some thirty calls. A refusal steps down too: if callers only
    ever ask for less time than the estimate, it comes down to them and one of their calls shows what is true.
    """

    __slots__ = ("_cap_s", "_median_s", "_samples", "needed_s")

    def __init__(self, cap_s: float) -> None:
        self._cap_s = cap_s
        self._median_s = 0.0
        self._samples = 0
        self.needed_s = 0.0
        """A call with less time than this, in seconds, is refused; 0 until enough calls have been seen."""

    def took(self, elapsed_s: float) -> None:
        """A call ran to its end, or to its deadline, in this time."""
        median_s = self._median_s
        if median_s == 0.0:
            median_s = elapsed_s
        elif elapsed_s > median_s:
            median_s *= 1 + STEP
        else:
            median_s *= 1 - STEP
        self._median_s = median_s
        if self._samples < SAMPLES_MIN:
            self._samples += 1
        else:
            self.needed_s = median_s if median_s < self._cap_s else self._cap_s

    def refused(self) -> None:
        """A call was refused for want of this time."""
        self._median_s = self.needed_s = self.needed_s * (1 - STEP)
