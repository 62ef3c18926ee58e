"""The generated dataclass client against the same mesh: another library, another transport, the same contract."""

import datetime as dt
import importlib
import ssl
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from crossrate.api.marketdata.v1 import marketdata_service_pb2
from crossrate.api.reference.v1 import reference_service_pb2
from crossrate.client import Client
from tests.mesh import Mesh

pytestmark = pytest.mark.system

grpclib = pytest.importorskip("grpclib", reason="needs group betterproto: `uv sync --group betterproto`")

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "crossrate_betterproto"
GENERATE_S_MAX = 240.0


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Imports a module of the client as the script generates it."""
    folder = tmp_path_factory.mktemp("betterproto")
    command = [sys.executable, ROOT / "scripts" / "generate", "--betterproto", folder]
    subprocess.run(command, check=True, timeout=GENERATE_S_MAX)
    sys.path.insert(0, str(folder))

    def module(word: str) -> ModuleType:
        return importlib.import_module(f"{PACKAGE}.crossrate.api.{word}.v1")

    yield module
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest_asyncio.fixture
async def channel(mesh: Mesh) -> AsyncIterator[Any]:
    """A grpclib channel to the edge, as the client "local"."""
    from grpclib.client import Channel

    trust = ssl.create_default_context(cadata=mesh.roots.decode())
    trust.load_cert_chain(mesh.place.client_certificate("local"))
    trust.set_alpn_protocols(["h2"])
    async with Channel("localhost", mesh.edge_port, ssl=trust) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(mesh: Mesh) -> Iterator[Client]:
    """The SDK at the same mesh."""
    proof = mesh.place.client_certificate("local")
    with Client(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=proof) as made:
        yield made


async def test_answers_are_the_same_messages(generated: Any, channel: Any, client: Client) -> None:
    """What the dataclasses hold, written again, is what protobuf's own classes read."""
    reference = generated("reference")
    stub = reference.ReferenceServiceStub(channel)
    answer = await stub.list_instruments(reference.ListInstrumentsRequest(currency="NOK", page_size=500))
    told = reference_service_pb2.ListInstrumentsResponse.FromString(bytes(answer))
    assert told == client.reference.ListInstruments(currency="NOK", page_size=500)
    assert len(answer.instruments) > 10
    marketdata = generated("marketdata")
    rates = await marketdata.MarketDataServiceStub(channel).list_daily_rates(
        marketdata.ListDailyRatesRequest(base="EUR", counter="USD", page_size=100)
    )
    told = marketdata_service_pb2.ListDailyRatesResponse.FromString(bytes(rates))
    assert told == client.marketdata.ListDailyRates(base="EUR", counter="USD", page_size=100)


async def test_a_write_is_the_same_write(generated: Any, channel: Any, client: Client) -> None:
    """An account that it opens is there for the SDK, and its request repeated is answered, not applied again."""
    ledger = generated("ledger")
    name = f"bp-{uuid.uuid4().hex[:8]}"
    account = ledger.Account(
        account=name,
        desk="spot",
        currency="USD",
        position_mode=ledger.PositionMode.NETTING,
        cost_method=ledger.CostMethod.AVERAGE,
        status=ledger.AccountStatus.ACTIVE,
        margin_rate="0.05",
    )
    request = ledger.OpenAccountRequest(request_id=str(uuid.uuid4()), account=account)
    stub = ledger.AccountServiceStub(channel)
    first, again = await stub.open_account(request), await stub.open_account(request)
    assert first == again
    assert client.ledger.GetAccount(account=name).account.currency == "USD"
    deposit = ledger.DepositRequest(request_id=str(uuid.uuid4()), account=name, currency="USD", amount="1000.50")
    movements = ledger.MovementServiceStub(channel)
    assert await movements.deposit(deposit) == await movements.deposit(deposit)
    entries = list(client.ledger.ListPostings.items(account=name))
    assert len(entries) == 1


async def test_a_stream_and_its_envelope(generated: Any, channel: Any) -> None:
    """A stream's messages have positions, times and an end, as dataclasses."""
    marketdata = generated("marketdata")
    stub = marketdata.MarketDataServiceStub(channel)
    request = marketdata.StreamQuotesRequest(instruments=["EUR/USD"], max_messages=3)
    messages = [message async for message in stub.stream_quotes(request)]
    quotes = [quote for message in messages if message.quotes for quote in message.quotes.quotes]
    assert len(quotes) >= 3
    assert {quote.instrument for quote in quotes} == {"EUR/USD"}
    assert all(isinstance(quote.venue_time, dt.datetime) for quote in quotes)
    assert messages[-1].end is not None
    cursors = [message.position.cursor for message in messages]
    assert all(cursors)


async def test_a_refusal_has_its_details(generated: Any, channel: Any) -> None:
    """A rule that is broken comes as a status with the field and the reason, which the generated classes read."""
    from grpclib.const import Status
    from grpclib.exceptions import GRPCError

    reference = generated("reference")
    with pytest.raises(GRPCError) as caught:
        await reference.ReferenceServiceStub(channel).get_instrument(
            reference.GetInstrumentRequest(base="EUR", counter="usd")
        )
    assert caught.value.status is Status.INVALID_ARGUMENT
    assert "counter" in (caught.value.message or "")
    assert any(getattr(detail, "reason", "") == "INVALID_REQUEST" for detail in caught.value.details or ())
