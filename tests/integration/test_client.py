"""The client's channel against a real gRPC server on a Unix socket."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc.call import Call
from crossrate.rpc.client import CallError, ContractChannel, channel_to_socket
from crossrate.rpc.contract import Idempotency, contracts
from crossrate.rpc.plan import Plan
from crossrate.rpc.resilience import RetryBudget, RetryLimits
from crossrate.runtime.logs import correlation

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"
FAST = RetryLimits(pause_s=0.001, pause_s_max=0.002)
EURUSD = reference.GetInstrumentRequest(base="EUR", counter="USD")

Script = Callable[[grpc.aio.ServicerContext, int], Awaitable[None]]


async def _nothing(context: grpc.aio.ServicerContext, attempt: int) -> None:
    pass


class Scripted(reference_grpc.ReferenceServiceServicer, marketdata_grpc.MarketDataServiceServicer):
    """A server that does what the test says, and remembers what it saw."""

    def __init__(self) -> None:
        self.attempts = 0
        self.script: Script = _nothing
        self.metadata: list[dict[str, str]] = []
        self.remaining_s: list[float] = []
        self.messages: list[marketdata.StreamQuotesResponse] = []

    async def _enter(self, context: grpc.aio.ServicerContext) -> None:
        self.attempts += 1
        self.metadata.append(dict(context.invocation_metadata()))
        self.remaining_s.append(context.time_remaining())
        await self.script(context, self.attempts)

    async def GetInstrument(self, request, context):
        await self._enter(context)
        answer = reference.GetInstrumentResponse()
        answer.instrument.name = f"{request.base}/{request.counter}"
        return answer

    async def SetInstrumentStatus(self, request, context):
        await self._enter(context)
        return reference.SetInstrumentStatusResponse()

    async def StreamQuotes(self, request, context):
        await self._enter(context)
        for message in self.messages:
            yield message


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[Scripted, Path]]:
    """A scripted server and its socket."""
    scripted, running, socket = Scripted(), grpc.aio.server(), tmp_path / "s.sock"
    reference_grpc.add_ReferenceServiceServicer_to_server(scripted, running)
    marketdata_grpc.add_MarketDataServiceServicer_to_server(scripted, running)
    running.add_insecure_port(f"unix:{socket}")
    await running.start()
    yield scripted, socket
    await running.stop(None)


@pytest.fixture(params=["lean", "grpcio"])
def open_channel(request) -> Callable[..., ContractChannel]:
    """Opens a channel to a socket, over each transport."""
    return partial(channel_to_socket, transport=request.param)


def failing(times: int, code: grpc.StatusCode, details: status_pb2.Status | None = None) -> Script:
    """Fails the first attempts."""

    async def script(context: grpc.aio.ServicerContext, attempt: int) -> None:
        if attempt <= times:
            if details is not None:
                context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
            await context.abort(code, "not now")

    return script


async def test_a_read_is_repeated_until_it_succeeds(server, open_channel) -> None:
    """UNAVAILABLE of a method without side effects is repeated, with the same request id."""
    scripted, socket = server
    scripted.script = failing(2, grpc.StatusCode.UNAVAILABLE)
    async with open_channel(socket, retries=FAST) as channel:
        answer = await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD)
    assert answer.instrument.name == "EUR/USD"
    assert scripted.attempts == 3
    assert len({m["x-request-id"] for m in scripted.metadata}) == 1


@pytest.mark.parametrize("code", [c for c in grpc.StatusCode if c.name not in {"OK", "UNAVAILABLE"}])
async def test_other_codes_are_final(server, code: grpc.StatusCode, open_channel) -> None:
    """Only what may pass is repeated: every other code is the answer."""
    scripted, socket = server
    scripted.script = failing(1, code)
    async with open_channel(socket, retries=FAST) as channel:
        with pytest.raises(CallError) as caught:
            await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD)
    assert caught.value.code() is code
    assert caught.value.message == "not now"
    assert scripted.attempts == 1


async def test_a_write_is_repeated_only_with_a_request_id(server, open_channel) -> None:
    """An idempotent write without its request id could be applied twice, so it is sent once."""
    scripted, socket = server
    scripted.script = failing(1, grpc.StatusCode.UNAVAILABLE)
    async with open_channel(socket, retries=FAST) as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        with pytest.raises(CallError):
            await stub.SetInstrumentStatus(reference.SetInstrumentStatusRequest())
        scripted.attempts = 0
        await stub.SetInstrumentStatus(reference.SetInstrumentStatusRequest(request_id=str(uuid.uuid4())))
    assert scripted.attempts == 2


@pytest.mark.parametrize("contract", contracts().values(), ids=lambda c: c.name)
def test_only_what_the_contract_allows_is_repeated(contract) -> None:
    """No plan of a method that is not idempotent allows a second attempt, and every idempotent write needs its id."""
    plan = Plan(
        contract.path,
        contract,
        replayable=True,
        limits=FAST,
        budget=RetryBudget(FAST),
        wait_for_ready=False,
        metadata=(),
    )
    bare = object()
    safe = contract.idempotency is Idempotency.NO_SIDE_EFFECTS
    assert (plan.limits_for(bare).attempts_max > 1) is safe


async def test_retry_info_is_waited_for_and_shown(server, open_channel) -> None:
    """RESOURCE_EXHAUSTED is repeated only when the server said when, and no sooner."""
    scripted, socket = server
    details = status_pb2.Status(code=8, message="not now")
    details.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=60_000_000)))
    scripted.script = failing(1, grpc.StatusCode.RESOURCE_EXHAUSTED, details)
    async with open_channel(socket, retries=FAST) as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        start = time.monotonic()
        await stub.GetInstrument(EURUSD)
        assert time.monotonic() - start >= 0.06
        scripted.attempts = 0
        # Later than the call's deadline, so the answer is given away at once.
        late = status_pb2.Status(code=8, message="not now")
        late.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=60)))
        late.details.add().Pack(error_details_pb2.ErrorInfo(reason="TOO_MANY_REQUESTS", metadata={"limit": "256"}))
        scripted.script = failing(1, grpc.StatusCode.RESOURCE_EXHAUSTED, late)
        with pytest.raises(CallError) as caught:
            await stub.GetInstrument(EURUSD)
    assert caught.value.reason == "TOO_MANY_REQUESTS"
    assert caught.value.metadata == {"limit": "256"}
    assert caught.value.retry_after_s == pytest.approx(60)
    assert scripted.attempts == 1


async def test_violations_are_typed(server, open_channel) -> None:
    """BadRequest becomes a tuple of field and description."""
    scripted, socket = server
    details = status_pb2.Status(code=3, message="not now")
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="base", description="does not match ^[A-Z]{3}$")
    details.details.add().Pack(bad)
    scripted.script = failing(1, grpc.StatusCode.INVALID_ARGUMENT, details)
    async with open_channel(socket) as channel:
        with pytest.raises(CallError, match="base: does not match") as caught:
            await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD)
    assert caught.value.violations == (("base", "does not match ^[A-Z]{3}$"),)


async def test_the_contracts_deadline_is_the_longest(server, open_channel) -> None:
    """A call without a timeout gets the contract's deadline; a longer one is cut to it, a shorter one is kept."""
    scripted, socket = server
    async with open_channel(socket) as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        for given in (None, 60, 1):
            await stub.GetInstrument(EURUSD, timeout=given)
    without, longer, shorter = scripted.remaining_s
    # What is left when it arrives: a busy machine takes a part of it.
    assert 1.0 < without <= 2.01
    assert 1.0 < longer <= 2.01
    assert shorter <= 1.01


async def test_the_deadline_bounds_all_attempts(server, open_channel) -> None:
    """Repetition ends with the deadline of the whole call."""
    scripted, socket = server
    scripted.script = failing(1000, grpc.StatusCode.UNAVAILABLE)
    limits = RetryLimits(attempts_max=20, pause_s=0.05, pause_s_max=0.05, budget_min=100)
    async with open_channel(socket, retries=limits) as channel:
        with pytest.raises(CallError):
            await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD, timeout=0.1)
    assert scripted.attempts < 20


async def test_no_time_left_is_said_without_a_call(server, open_channel) -> None:
    """A call that has no time left is not sent."""
    scripted, socket = server
    async with open_channel(socket) as channel:
        with pytest.raises(CallError) as caught:
            await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD, timeout=-1)
    assert caught.value.reason == "DEADLINE_TOO_SHORT"
    assert scripted.attempts == 0


async def test_a_stream_is_opened_again_but_never_restarted(server, open_channel) -> None:
    """Before the first message a stream may be sent anew; after it the failure is the reader's to resume."""
    scripted, socket = server
    scripted.messages = [marketdata.StreamQuotesResponse() for _ in range(3)]
    scripted.script = failing(1, grpc.StatusCode.UNAVAILABLE)
    request = marketdata.StreamQuotesRequest(instruments=["EUR/USD"])
    async with open_channel(socket, retries=FAST) as channel:
        stub = marketdata_grpc.MarketDataServiceStub(channel)
        assert len([m async for m in stub.StreamQuotes(request)]) == 3
        assert scripted.attempts == 2

    async def break_off(request, context):
        yield marketdata.StreamQuotesResponse()
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    scripted.StreamQuotes = break_off
    running, second, got = grpc.aio.server(), socket.with_name("t.sock"), []
    marketdata_grpc.add_MarketDataServiceServicer_to_server(scripted, running)
    running.add_insecure_port(f"unix:{second}")
    await running.start()
    async with open_channel(second, retries=FAST) as channel:
        call = marketdata_grpc.MarketDataServiceStub(channel).StreamQuotes(request)
        got.append(await call.read())
        with pytest.raises(CallError, match="gone"):
            await call.read()
    await running.stop(None)
    assert len(got) == 1


async def test_cancelling_the_caller_cancels_the_call(server, open_channel) -> None:
    """The server learns at once that nobody waits any more."""
    scripted, socket = server
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def hang(context: grpc.aio.ServicerContext, attempt: int) -> None:
        arrived.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    scripted.script = hang
    async with open_channel(socket) as channel:

        async def call() -> None:
            await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD)

        task = asyncio.create_task(call())
        await asyncio.wait_for(arrived.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(cancelled.wait(), 60)


async def test_a_method_that_the_server_lacks_is_unimplemented(server, open_channel) -> None:
    """Failures of the transport itself are CallErrors without a reason."""
    _, socket = server
    async with open_channel(socket) as channel:
        with pytest.raises(CallError) as caught:
            await control_grpc.ControlServiceStub(channel).GetMeshStatus(control.GetMeshStatusRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert caught.value.reason == ""


async def test_a_call_made_while_serving_one_belongs_to_it(server, open_channel) -> None:
    """Request id and trace go on, and the time given away is less than the time left."""
    scripted, socket = server
    serving = Call(contracts()["/crossrate.api.marketdata.v1.MarketDataService/GetQuote"], "outer-1", TRACE)
    serving.deadline = time.monotonic() + 1.5
    token = correlation.set(serving)
    try:
        async with open_channel(socket) as channel:
            await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD)
            serving.deadline = time.monotonic()
            with pytest.raises(CallError) as caught:
                await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD)
    finally:
        correlation.reset(token)
    assert scripted.metadata[0]["x-request-id"] == "outer-1"
    assert scripted.metadata[0]["traceparent"][:35] == TRACE[:35]
    assert scripted.remaining_s[0] < 1.49
    assert caught.value.reason == "DEADLINE_TOO_SHORT"
