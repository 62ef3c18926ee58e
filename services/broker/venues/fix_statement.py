"""A FIX venue's statement: all that works there (AF), and a question behind it whose answer says that all were told.

A venue handles our messages in their order. So the answer to a question about an order that never was, sent after the
mass status request, comes when everything that works has been told, be it nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from crossrate.fix.enums import MassStatusReqType, OrdStatus, Side
from crossrate.fix.orders import OrderMassStatusRequest, OrderStatusRequest
from crossrate.fix.reports import ExecutionReport
from services.broker.domain.amounts import QUANTITY_UNIT
from services.broker.domain.books import BUY, SELL, OwnOrder, StatedOrder, Statement
from services.broker.venues.fix_words import instrument_of

WORKING = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)


class Asking:
    """One statement that was asked for. Made with a name that no other has."""

    def __init__(self, name: str, symbol: str) -> None:
        self.last = f"{name}E"
        self._name = name
        self._symbol = symbol
        self._told: dict[str, StatedOrder] = {}
        self.complete = asyncio.Event()

    def questions(self) -> tuple[OrderMassStatusRequest, OrderStatusRequest]:
        """What is sent, in order."""
        return (
            OrderMassStatusRequest(mass_status_req_id=self._name, mass_status_req_type=MassStatusReqType.ALL),
            OrderStatusRequest(cl_ord_id=self.last, symbol=self._symbol, side=Side.BUY),
        )

    def answers(self, value: ExecutionReport) -> bool:
        """Whether a report says that all were told."""
        if value.cl_ord_id == self.last or value.ord_status_req_id == self.last:
            self.complete.set()
            return True
        return False

    def take(self, value: ExecutionReport, order_id: str) -> None:
        """A report, if it answers this one; with the order here that it is about."""
        if value.mass_status_req_id == self._name and value.ord_status in WORKING and value.order_id != "NONE":
            self._told[value.order_id] = stated_of(value, order_id)

    @property
    def order_ids(self) -> set[str]:
        """Orders here that it is about."""
        return {each.order_id for each in self._told.values() if each.order_id}

    def statement(self, own: Mapping[str, OwnOrder]) -> Statement:
        """What was told."""
        return Statement(tuple(self._told.values()), own=dict(own))


def stated_of(value: ExecutionReport, order_id: str = "") -> StatedOrder:
    """An order as a report states it."""
    quantity = value.order_qty if value.order_qty is not None else value.leaves_qty + value.cum_qty
    return StatedOrder(
        value.order_id,
        value.cl_ord_id or "",
        instrument_of(value.symbol),
        BUY if value.side is Side.BUY else SELL,
        int(quantity * QUANTITY_UNIT),
        value.price or None,
        int((value.cum_qty or Decimal(0)) * QUANTITY_UNIT),
        order_id,
        value.ord_status.name.lower(),
    )
