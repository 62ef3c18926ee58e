"""Functions of two barriers: what is refused about the pair of them, in words."""

from __future__ import annotations

from collections.abc import Sequence

from crossrate.kernel.faults import ArgumentError, Reason, unpack
from crossrate.kernel.front import Array, Elementwise

LATE = (
    "a payment at hit has no result here: the rate is so negative that the payment grows faster than the chance of not "
    "having touched decays; let it be paid at expiry, or widen the corridor"
)


class Corridor(Elementwise):
    """An elementwise function whose barriers must be in order, and whose payments at hit must be finite."""

    def error(self, fault: int, flat: Sequence[Array], shape: tuple[int, ...]) -> ArgumentError:
        """What a fault means, in words: the barriers' order and the rate have sentences of their own."""
        reason, _, index = unpack(fault)
        if reason == Reason.NOT_CONVERGED:
            place = tuple(self.inputs).index("domestic_rate") + 1
            fault = int(reason) << 56 | place << 48 | index
        found = super().error(fault, flat, shape)
        if reason == Reason.INCONSISTENT:
            lower = flat[tuple(self.inputs).index("lower_barrier")][index].item()
            return ArgumentError(
                found.argument, found.index, reason, found.value, f"it must be above lower_barrier, which is {lower!r}"
            )
        if reason == Reason.NOT_CONVERGED:
            return ArgumentError(found.argument, found.index, reason, found.value, LATE)
        return found
