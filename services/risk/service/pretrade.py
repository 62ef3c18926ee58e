"""PreTradeService."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from crossrate.api.risk.v1 import pretrade_service_pb2 as pb
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import (
    PreTradeServiceServicer,
    PreTradeServiceStub,
    add_PreTradeServiceServicer_to_server,
)
from crossrate.rpc import errors
from services.risk.ledger_peer import Accounts
from services.risk.pretrade import BadOrder, LateCall, PreTrade
from services.risk.service.deciding import Deciding


class Encoded:
    """An answer that is bytes already."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body

    def SerializeToString(self) -> bytes:
        """The bytes."""
        return self.body


class PreTradeService(PreTradeServiceServicer):
    """Answers every call of the contract.

    Args:
        engine: the state of the term; None while this instance does not decide.
    """

    def __init__(self, deciding: Deciding, engine: Callable[[], PreTrade | None], accounts: Accounts) -> None:
        self._deciding = deciding
        self._engine = engine
        self._accounts = accounts

    async def Authorise(self, request: pb.AuthoriseRequest, context: Any) -> Any:
        """See the contract."""
        engine = self._engine()
        if engine is None or not self._deciding.here:
            return await self._deciding.hand_on(PreTradeServiceStub, "Authorise", request, context)
        if not self._deciding.authorises:
            raise self._deciding.not_ready()
        if request.groups and len(request.groups) != len(request.orders):
            words = f"has {len(request.groups)} numbers for {len(request.orders)} orders: one for each, or none"
            raise errors.invalid(("groups", words))
        accounts = engine.book.accounts
        strange = {name for each in request.orders if not _listed(accounts, name := each.order.terms.account)}
        if strange:
            await self._accounts.look(strange)
            if self._engine() is not engine or not self._deciding.authorises:
                raise self._deciding.not_ready()
        try:
            return Encoded(engine.authorise(request))
        except LateCall as late:
            raise errors.version_conflict(late.newest + 1, late.number) from None
        except BadOrder as bad:
            raise errors.invalid((f"orders[{bad.place}].order", bad.why)) from None

    async def Report(self, request: pb.ReportRequest, context: Any) -> Any:
        """See the contract."""
        engine = self._engine()
        if engine is None or not self._deciding.here:
            return await self._deciding.hand_on(PreTradeServiceStub, "Report", request, context)
        if not self._deciding.authorises:
            raise self._deciding.not_ready()
        try:
            return Encoded(engine.report(request))
        except LateCall as late:
            raise errors.version_conflict(late.newest + 1, late.number) from None


def _listed(accounts: Any, name: str) -> bool:
    account = accounts.get(name)
    return account is not None and account.listed


def register(servicer: PreTradeService, server: Any) -> None:
    """The generated registration, with answers that are bytes already."""
    add_PreTradeServiceServicer_to_server(servicer, _Registration(server))


class _Registration:
    """Takes the handlers from the generated registration on their way to the server."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, _handlers: Any) -> None:
        """Left out: the same methods come by name."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        """Hands the handlers on with a serializer that takes either."""
        encoded = {
            name: grpc.unary_unary_rpc_method_handler(made.unary_unary, made.request_deserializer, _encode)
            for name, made in handlers.items()
        }
        self._server.add_registered_method_handlers(service, encoded)


def _encode(message: Any) -> bytes:
    return message.SerializeToString()
