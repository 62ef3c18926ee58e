"""What risk said of an order, on its way into reports and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossrate.api.risk.v1 import pretrade_service_pb2
from crossrate.api.trading.v1 import order_entry_pb2


class Admission:
    """What risk said of an order: its checks, and the quote that it saw.

    Twenty checks are most of a report's bytes. They have the same numbers in what risk says, in a report and in an
    answer, and are taken over as bytes: encoded once, never looked into if the order is admitted.
    """

    __slots__ = ("_answer", "_kept", "_seen", "authorised", "gate_version")

    def __init__(self, answer: Any, gate_version: int) -> None:
        self._answer = answer
        self.authorised = answer.authorised
        self.gate_version = gate_version
        self._seen = self._kept = b""

    @property
    def checks(self) -> Sequence[Any]:
        """Every check, failed ones first."""
        return self._answer.checks

    @property
    def seen(self) -> bytes:
        """Checks and quote, as encoded fields of ExecutionReport and of PlaceOrderResponse."""
        if not self._kept:
            self._encode()
        return self._seen

    @property
    def kept(self) -> bytes:
        """Margin and nearest limit, as encoded fields of PlaceOrderResponse."""
        if not self._kept:
            self._encode()
        return self._kept

    def _encode(self) -> None:
        said = self._answer
        rest = order_entry_pb2.PlaceOrderResponse(first_limit=said.first_limit - 1)
        if said.margin_currency:
            margin = rest.margin
            margin.currency, margin.equity, margin.free_after = said.margin_currency, said.equity, said.margin_free
            margin.used_before, margin.used_after = said.margin_before, said.margin_after
        for name in _SAID_OTHERWISE:
            said.ClearField(name)
        self._seen, self._kept = said.SerializeToString(), rest.SerializeToString()


_SAID_OTHERWISE = tuple(
    field.name for field in pretrade_service_pb2.Authorisation.DESCRIPTOR.fields if field.number < 10
)
"""What of an Authorisation is no part of a report."""
