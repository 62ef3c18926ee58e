"""Accounts of `ledger` on a real PostgreSQL and NATS, called as the local operator calls."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from crossrate.api.ledger.v1 import account_events_pb2, account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as pb
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.events import Events
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Stream, Topology
from services.ledger import main
from tests.ending import within
from tests.integration.conftest import Servers, eventually

pytestmark = pytest.mark.integration

TOPOLOGY = Topology(
    services={
        "control": Service(publishes=("crossrate.control.v1.>",)),
        "ledger": Service(publishes=("crossrate.ledger.v1.>",), database=True),
    },
    streams={"ledger": Stream(owner="ledger", subjects=("crossrate.ledger.v1.>",), max_mib=64)},
)


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """PostgreSQL and NATS for the service's topology."""
    servers = Servers(folder, TOPOLOGY)
    try:
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(TOPOLOGY)
        await servers.start_nats()
        await servers.nats.provision(TOPOLOGY)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


@asynccontextmanager
async def assembled(mesh: Servers, instance: str = "ledger-1") -> AsyncIterator[AccountServiceStub]:
    """One instance as its main assembles it, up to its drain at the end."""
    runtime = open_runtime(RuntimeSettings(service="ledger", instance=instance, settle_s=0), mesh.place)
    running = asyncio.create_task(main.serve(runtime))
    try:
        await eventually(lambda: running.done() or mesh.place.registration(instance).exists())
        async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket(instance)}") as channel:
            yield AccountServiceStub(channel)
    finally:
        runtime.stopping.set()
        await within(running, "the end of the ledger")


def wish(name: str, **fields) -> pb.OpenAccountRequest:
    """A request to open an account."""
    terms = {
        "desk": "spot",
        "currency": "USD",
        "position_mode": account_pb2.POSITION_MODE_NETTING,
        "cost_method": account_pb2.COST_METHOD_FIFO,
        "status": account_pb2.ACCOUNT_STATUS_ACTIVE,
        "margin_rate": "0.05",
    }
    account = account_pb2.Account(account=name, **(terms | fields))
    return pb.OpenAccountRequest(request_id=str(uuid.uuid4()), account=account)


async def failure(call: Awaitable[object]) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None
    return found


async def test_an_account_is_opened_once(mesh: Servers) -> None:
    """The answer, a repetition, a second opening with equal terms and the event agree; other terms are refused."""
    async with assembled(mesh) as stub:
        request = wish("alpha")
        opened = (await stub.OpenAccount(request, timeout=5)).account
        assert opened.version == 1
        assert (await stub.OpenAccount(request, timeout=5)).account == opened
        assert (await stub.OpenAccount(wish("alpha"), timeout=5)).account == opened
        refused = await failure(stub.OpenAccount(wish("alpha", currency="EUR"), timeout=5))
        assert refused.reason is ErrorReason.ALREADY_EXISTS
        request.account.desk = "forwards"
        assert (await failure(stub.OpenAccount(request, timeout=5))).reason is ErrorReason.REQUEST_ID_REUSED
        assert (await stub.GetAccount(pb.GetAccountRequest(account="alpha"), timeout=5)).account == opened
        assert (await failure(stub.GetAccount(pb.GetAccountRequest(account="beta"), timeout=5))).reason is (
            ErrorReason.NOT_FOUND
        )
        events = await Events.open(mesh.runtime("ledger"))
        try:
            await eventually(lambda: _published(events))
            (event,) = await events.read("ledger", 0)
            assert event.subject == "crossrate.ledger.v1.account_changed.alpha"
            assert account_events_pb2.AccountChanged.FromString(event.payload).account == opened
        finally:
            await events.close()


async def _published(events: Events) -> bool:
    return bool(await events.read("ledger", 0))


async def test_a_check_opens_nothing_and_pages_are_by_name(mesh: Servers) -> None:
    """validate_only answers as if done; no currency that is no more, no margin of 0; pages follow on each other."""
    async with assembled(mesh) as stub:
        rehearsal = wish("alpha")
        rehearsal.validate_only = True
        assert (await stub.OpenAccount(rehearsal, timeout=5)).account.account == "alpha"
        assert not (await stub.ListAccounts(pb.ListAccountsRequest(), timeout=5)).accounts
        dead = await failure(stub.OpenAccount(wish("alpha", currency="DEM"), timeout=5))
        assert dead.violations[0].field == "account.currency"
        free = await failure(stub.OpenAccount(wish("alpha", margin_rate="0.00"), timeout=5))
        assert free.violations[0].field == "account.margin_rate"
        for name in ("gamma", "alpha", "beta"):
            await stub.OpenAccount(wish(name, desk="spot" if name != "beta" else "forwards"), timeout=5)
        first = await stub.ListAccounts(pb.ListAccountsRequest(page_size=2), timeout=5)
        second = await stub.ListAccounts(
            pb.ListAccountsRequest(page_size=2, page_token=first.next_page_token), timeout=5
        )
        assert [a.account for a in (*first.accounts, *second.accounts)] == ["alpha", "beta", "gamma"]
        assert second.next_page_token == ""
        spot = await stub.ListAccounts(pb.ListAccountsRequest(desk="spot"), timeout=5)
        assert [a.account for a in spot.accounts] == ["alpha", "gamma"]
