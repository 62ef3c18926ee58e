"""Calls that are refused for who makes them come into the stream for the log of audit, wherever they are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio
import structlog

from crossrate.api.audit.v1 import audit_events_pb2 as audit
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.events import Events, Message
from crossrate.events.errors import EventsError
from crossrate.rpc.call import new_request_id
from crossrate.runtime.topology import DENIALS, denials_subject
from tests.integration.envoys import until
from tests.integration.guarded import GuardedMesh, guarded_mesh

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SET_STATUS = "crossrate.api.reference.v1.ReferenceService/SetInstrumentStatus"
LIST = "crossrate.api.reference.v1.ReferenceService/ListCurrencies"
CANCEL = "crossrate.api.trading.v1.TradingService/CancelOrder"
GET_INSTRUMENT = "crossrate.api.reference.v1.ReferenceService/GetInstrument"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[GuardedMesh]:
    """A guarded mesh that tells of refused calls five times a second."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CROSSRATE_DENIALS_S", "0.2")
        async with guarded_mesh(tmp_path_factory.mktemp("guarded")) as made:
            yield made


async def events_of(mesh: GuardedMesh, service: str) -> Events:
    """A service's connection."""
    return await Events.open(
        SimpleNamespace(
            service=service,
            instance=f"{service}-2",
            place=mesh.place,
            topology=mesh.topology,
            log=structlog.get_logger(),
        )
    )


async def told(mesh: GuardedMesh, fits: Callable[[str, audit.CallsDenied], bool]) -> audit.CallsDenied:
    """The first fact of the stream that fits, by its service and itself, as soon as it is there."""
    events = await events_of(mesh, "audit")
    try:

        async def found() -> audit.CallsDenied | None:
            for event in await events.read(DENIALS, 0):
                fact = event.parse(audit.CallsDenied)
                if fits(event.subject.rpartition(".")[2], fact):
                    return fact
            return None

        return await until(found)
    finally:
        await events.close()


async def test_what_the_edge_refuses_is_told_by_control(mesh: GuardedMesh) -> None:
    """By gRPC and REST: a role that is missing with its client, no proof and a token that is not good with nobody."""
    body = b'{"requestId": "%s", "status": "INSTRUMENT_STATUS_HALTED"}' % new_request_id().encode()
    token = mesh.bearer(mesh.issuer.token(("viewer",), sub="u-rest"))
    assert (await mesh.rest("POST", "/v1/instruments/EUR/USD:setStatus", token, body, client=None))[0] == 403
    assert (await mesh.rest("POST", "/v1/instruments/EUR/USD:setStatus", None, body))[0] == 403
    assert (await mesh.rest("GET", "/v1/currencies?a=b", client=None))[0] == 401
    assert (await mesh.rest("GET", "/v1/currencies", mesh.bearer("x.y.z"), client=None))[0] == 401
    async with mesh.token_channel(mesh.issuer.token(("viewer",), sub="u-grpc")) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await ReferenceServiceStub(channel).SetInstrumentStatus(reference.SetInstrumentStatusRequest(), timeout=10)
    for method, actor, reason in (
        (SET_STATUS, "user:u-rest", "CALLER_NOT_ALLOWED"),
        (SET_STATUS, "client:viewer", "CALLER_NOT_ALLOWED"),
        (SET_STATUS, "user:u-grpc", "CALLER_NOT_ALLOWED"),
        (LIST, "", "NO_IDENTITY"),
        (LIST, "", "TOKEN_REFUSED"),
    ):
        expected = "control", method, actor, reason, audit.DENIAL_PLACE_EDGE
        fact = await told(
            mesh, lambda s, f, e=expected: (s, f.method, f.actor, f.reason, f.place) == e and f.count >= 1
        )
        assert fact.first_time.seconds > 0


async def test_what_a_service_refuses_is_told_by_itself(mesh: GuardedMesh) -> None:
    """An account that was not granted: the edge lets the role in, the service refuses, and tells it once."""
    token = mesh.issuer.token(("trader",), sub="u-account", accounts=["mine"])
    async with mesh.token_channel(token) as channel:
        request = entry.CancelOrderRequest(request_id=new_request_id(), account="other", client_order_id="c-1")
        for _ in range(3):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await TradingServiceStub(channel).CancelOrder(request, timeout=10)
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    seen: dict[str, int] = {}

    def all_three(service: str, fact: audit.CallsDenied) -> bool:
        if (fact.method, fact.actor) == (CANCEL, "user:u-account"):
            assert (service, fact.place, fact.reason) == ("trading", audit.DENIAL_PLACE_SERVICE, "CALLER_NOT_ALLOWED")
            seen[str(fact.first_time)] = fact.count
        return sum(seen.values()) == 3

    await told(mesh, all_three)


async def test_what_a_services_proxy_refuses_is_told_with_the_caller_that_its_certificate_proves(
    mesh: GuardedMesh,
) -> None:
    """A service that calls what the topology does not let it call is refused before the other hears of it."""
    served = mesh.answers["reference"].served.get(f"/{GET_INSTRUMENT}", 0)
    async with mesh.outbound_channel("audit") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ReferenceServiceStub(channel).GetInstrument(
                reference.GetInstrumentRequest(base="EUR", counter="USD"), timeout=10
            )
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    expected = "control", GET_INSTRUMENT, "audit", "CALLER_NOT_ALLOWED", audit.DENIAL_PLACE_PROXY
    await told(mesh, lambda s, f: (s, f.method, f.actor, f.reason, f.place) == expected)
    assert mesh.answers["reference"].served.get(f"/{GET_INSTRUMENT}", 0) == served


async def test_no_service_tells_in_anothers_name(mesh: GuardedMesh) -> None:
    """NATS takes a service's facts under its own subject alone."""
    events = await events_of(mesh, "reference")
    try:
        fact = audit.CallsDenied(method=CANCEL, count=1)
        await events.publish(Message.of(denials_subject("reference"), fact, new_request_id()))
        with pytest.raises(EventsError):
            await events.publish(Message.of(denials_subject("trading"), fact, new_request_id()), timeout_s=1.0)
    finally:
        await events.close()
