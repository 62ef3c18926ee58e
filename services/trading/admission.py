"""What risk said of an order, on its way into reports and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossrate.api.risk.v1 import pretrade_service_pb2
from crossrate.api.trading.v1 import execution_pb2, order_entry_pb2, order_pb2
from crossrate.rpc.frames import retagged, tag, tags_of


class Admission:
    """What risk said of an order: its checks, and the quote that it saw.

    Twenty checks are most of a report's bytes. They are taken over as bytes, encoded once and never looked into if the
    order is admitted: a report and an answer have them under other numbers, so their tags alone are changed.
    """

    __slots__ = ("_answer", "_answered", "_kept", "_seen", "authorised", "gate_version")

    def __init__(self, answer: Any, gate_version: int) -> None:
        self._answer = answer
        self.authorised = answer.authorised
        self.gate_version = gate_version
        self._seen = self._answered = self._kept = b""

    @property
    def checks(self) -> Sequence[Any]:
        """Every check, failed ones first."""
        return self._answer.checks

    @property
    def seen(self) -> bytes:
        """Checks and quote, as encoded fields of ExecutionReport."""
        if not self._kept:
            self._encode()
        return self._seen

    @property
    def answered(self) -> bytes:
        """The same, and what `kept` has, as encoded fields of PlaceOrderResponse."""
        if not self._kept:
            self._encode()
        return self._kept + self._answered

    @property
    def kept(self) -> bytes:
        """Margin and nearest limit, as encoded fields of PlaceOrderResponse."""
        if not self._kept:
            self._encode()
        return self._kept

    def amended(self, order: order_pb2.Order) -> order_entry_pb2.AmendOrderResponse:
        """The answer to an amendment that was admitted."""
        placed = order_entry_pb2.PlaceOrderResponse.FromString(self.answered)
        answer = order_entry_pb2.AmendOrderResponse(order=order, checks=placed.checks, first_limit=placed.first_limit)
        for name in ("margin", "quote_seen"):
            if placed.HasField(name):
                getattr(answer, name).CopyFrom(getattr(placed, name))
        return answer

    def _encode(self) -> None:
        said = self._answer
        rest = order_entry_pb2.PlaceOrderResponse(first_limit=said.first_limit - 1)
        if said.margin_currency:
            margin = rest.margin
            margin.currency, margin.equity, margin.free_after = said.margin_currency, said.equity, said.margin_free
            margin.used_before, margin.used_after = said.margin_before, said.margin_after
        for name in _SAID_OTHERWISE:
            said.ClearField(name)
        encoded = said.SerializeToString()
        tags = list(tags_of(encoded))
        self._seen, self._answered = retagged(encoded, tags, _IN_REPORT), retagged(encoded, tags, _IN_ANSWER)
        self._kept = rest.SerializeToString()


_SEEN = ("checks", "quote_seen")
_SAID_OTHERWISE = tuple(
    field.name for field in pretrade_service_pb2.Authorisation.DESCRIPTOR.fields if field.name not in _SEEN
)
"""What of an Authorisation is no part of a report."""


def _tags_in(message: Any) -> dict[int, int]:
    own, others = pretrade_service_pb2.Authorisation.DESCRIPTOR.fields_by_name, message.DESCRIPTOR.fields_by_name
    return {tag(own[name].number): tag(others[name].number) for name in _SEEN}


_IN_REPORT = _tags_in(execution_pb2.ExecutionReport)
_IN_ANSWER = _tags_in(order_entry_pb2.PlaceOrderResponse)
"""What checks and quote are called, by what they are called in an Authorisation."""
