"""Accounts of tests, opened at the ledger."""

from __future__ import annotations

import uuid

import grpc

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as accounts
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub


async def open_account(channel: grpc.aio.Channel, name: str) -> None:
    """Opens an account in dollars of the desk "spot", without money."""
    account = account_pb2.Account(
        account=name,
        desk="spot",
        currency="USD",
        position_mode=account_pb2.POSITION_MODE_NETTING,
        cost_method=account_pb2.COST_METHOD_FIFO,
        status=account_pb2.ACCOUNT_STATUS_ACTIVE,
        margin_rate="0.05",
    )
    request = accounts.OpenAccountRequest(request_id=str(uuid.uuid4()), account=account)
    await AccountServiceStub(channel).OpenAccount(request, timeout=60)
