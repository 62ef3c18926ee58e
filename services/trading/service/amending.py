"""Amendments: what only reduces is done at once, what adds something is checked by risk first."""

from __future__ import annotations

import asyncio
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc import errors
from services.trading import messages
from services.trading.admission import Admission
from services.trading.domain import entry
from services.trading.domain.account import Account, Step
from services.trading.domain.lifecycle import Exec
from services.trading.domain.order import Amendment, Order
from services.trading.engine.engine import Engine
from services.trading.engine.work import Change, refused_by_risk
from services.trading.service.entering import body_digest, convention_of
from services.trading.service.failures import failures
from services.trading.store import Batch
from services.trading.store.batch import Request


class Amending:
    """The part of the service that amends."""

    _engine: Engine

    async def AmendOrder(self, request: pb.AmendOrderRequest, context: Any) -> pb.AmendOrderResponse:
        """See the contract."""
        account, request_id = request.account, request.request_id
        with failures(request_id):
            await self.arrived(account, request.client_order_id)
            body = body_digest(request)
            known = await self._engine.replays.request(account, request_id, body)
            if known is not None:
                return pb.AmendOrderResponse.FromString(known)
            order = await self._found(account, request.client_order_id)
            amendment = messages.amendment_of(request)
            if order.final:
                raise await self._ended(account, request.client_order_id)
            convention = convention_of(order.instrument)
            wrong = messages.zeros_of(request)
            wrong = wrong or list(entry.amendment_problems(order.terms, amendment, convention, self._engine.clock_ns()))
            if wrong:
                raise errors.invalid(*wrong)

            def find(held: Account) -> Order:
                found = held.by_client.get(request.client_order_id)
                if found is None:
                    raise errors.wrong_state("FINAL", "the order has ended meanwhile: its execution reports tell how")
                if request.expected_version and found.version != request.expected_version:
                    raise errors.version_conflict(request.expected_version, found.version)
                held.may_amend(found)
                return found

            find(await self._engine.accounts.account(account))
            kept = Request(account, request_id, body, b"")
            if adds(order, amendment):
                return await self._admitted(request, find, amendment, kept)
            if request.validate_only:
                return pb.AmendOrderResponse(order=order.image, first_limit=-1)

            def do(held: Account, batch: Batch) -> pb.AmendOrderResponse:
                found = find(held)
                held.ask_amend(found, amendment, request_id, batch, Step(Exec.PENDING_REPLACE, request_id))
                answer = pb.AmendOrderResponse(order=found.image, first_limit=-1)
                batch.requests.append(Request(account, request_id, body, answer.SerializeToString()))
                return answer

            return await self._engine.writer.work(account, do)

    async def _admitted(
        self, request: pb.AmendOrderRequest, find: Any, amendment: Amendment, kept: Request
    ) -> pb.AmendOrderResponse:
        change = Change(request.account, find, amendment, kept, asyncio.get_running_loop().create_future())
        if not request.validate_only:
            self._engine.writer.enter(change)
            return await change.future
        held = await self._engine.accounts.account(request.account)
        said = await self._engine.risk.authorise(change.to_admit(held), [0], validate_only=True)
        admission = Admission(said.authorisations[0], said.gate_version)
        if not admission.authorised:
            raise refused_by_risk(admission)
        return admission.amended(find(held).image)

    async def arrived(self, account: str, client_order_id: str) -> None:
        """Waits for an order that is on its way in: its cancel or amendment may come right behind it."""
        before = self._engine.writer.inflight.get((account, client_order_id))
        if before is not None:
            await asyncio.wait([before.future])

    async def _found(self, account: str, client_order_id: str) -> Order:
        """An order that works, or one that has ended as it is kept.

        Raises:
            Failure: NOT_FOUND.
        """
        order = (await self._engine.accounts.account(account)).by_client.get(client_order_id)
        if order is not None:
            return order
        kept = await self._engine.reading.order(account, client_order_id)
        if kept is None:
            remedy = "ListOrders has the orders of the account"
            raise errors.not_found("order", f"{account}/{client_order_id}", remedy)
        return messages.order_of(order_pb2.Order.FromString(kept[0]))

    async def _ended(self, account: str, client_order_id: str) -> errors.Failure:
        """Why nothing can be done to an order that is not here."""
        try:
            order = await self._found(account, client_order_id)
        except errors.Failure as failure:
            return failure
        name = order.status.name
        return errors.wrong_state(name, f"the order is {name}: it has ended before the call came")


def adds(order: Order, amendment: Amendment) -> bool:
    """Whether an amendment is more than taking away: risk checks prices and what is added, not what is left out."""
    more = amendment.quantity > order.terms.quantity
    limit = amendment.limit_price is not None
    return bool(more or limit or amendment.stop_price or amendment.trailing_distance)
