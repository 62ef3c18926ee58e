"""What a kill may reach."""

from __future__ import annotations

from collections.abc import Container

from crossrate.api.common.v1 import gate_pb2
from crossrate.rpc import errors


def check_scope(scope: gate_pb2.KillScope, mode: int, instruments: Container[str]) -> None:
    """Refuses a scope that is none.

    Raises:
        Failure: its name is missing or none, or a venue is to be flattened.
    """
    if (scope.kind == "platform") == bool(scope.name):
        words = "must be empty for the platform" if scope.name else f"is empty: which {scope.kind}?"
        raise errors.invalid(("scope.name", words))
    if scope.kind == "instrument" and scope.name not in instruments:
        raise errors.invalid(("scope.name", f"is {scope.name!r}: none of the instruments, which are as EUR/USD"))
    if scope.kind == "market" and instrument_of(scope.name) not in instruments:
        raise errors.invalid(("scope.name", f"is {scope.name!r}: an instrument at a venue is as EUR/USD@sim"))
    if scope.kind in ("venue", "market") and mode == gate_pb2.KILL_MODE_FLATTEN:
        raise errors.invalid(("mode", "positions are no venue's: engage HALT, or flatten accounts or instruments"))


def instrument_of(market: str) -> str:
    """The instrument of a market, "EUR/USD@sim" or "EUR/USD@"; empty for what is none."""
    instrument, at, _ = market.partition("@")
    return instrument if at else ""
