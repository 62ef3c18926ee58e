"""Every method × every role × everything that can be wrong with a token × gRPC, REST and gRPC-Web, through the real
proxies and the real chain of every service: not one cell is wrong."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.protobuf.message import Message

from crossrate.rpc.contract import MethodContract, contracts
from crossrate.rpc.errors import failure_of
from crossrate.rpc.grants import Client
from crossrate.runtime.topology import ROLES
from tests.bench.load_channel import LoadChannel
from tests.integration.envoys import until
from tests.integration.guarded import GuardedMesh, guarded_mesh
from tests.integration.matrix import (
    AWAY,
    DENIED,
    MINE,
    REFUSED_AT_ONCE,
    THEIRS,
    Situation,
    ask,
    cells,
    expected,
    unanswered,
    values,
)
from tests.integration.matrix_ways import by_grpc, by_rest, by_web, headers_of, web_code
from tests.integration.raw_http import RawHttp
from tests.issuer import Issuer, compact

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

IN_FLIGHT = 16
PASSED = (0, 3)
"""Codes of a call that was let in: its handler answered, or its rules refused what it holds."""
WHOLE = bool(os.environ.get("CROSSRATE_TEST_WHOLE_MATRIX"))
SLICE = 1500
"""Cells that are asked with the same tokens."""
CHANGED = "u-changed"
BEFORE_S = 5
"""How much older than the change of grants a token is that does not know it."""
SHARE = 5
"""Over REST and gRPC-Web the suite takes one cell in so many: a prime to roles and situations, so that all come."""
PASSED_BY_CONTROL = (*PASSED, 5, 14, 404, 503)
"""The same of the one service that is the real one here."""
BOOK = {
    "markets": [{"instrument": "EUR/USD"}],
    "reportingCurrency": "USD",
    **{name: [1.0] for name in ("strike", "time", "volatility", "notional")},
    **{name: [0] for name in ("kind", "market", "domesticRate", "foreignRate")},
}
START = {"startTime": "2026-01-01T00:00:00Z"}
STREAMS: dict[str, dict[str, Any]] = {
    "AuditService/ExportLog": {},
    "AuditService/WatchCheckpoints": {},
    "ControlService/Tap": {"maxDuration": "1s"},
    "ControlService/TapHeaders": {"maxDuration": "1s"},
    "LedgerService/StreamBalances": {},
    "ReconciliationService/WatchBreaks": {},
    "BarService/StreamBars": {"instruments": ["EUR/USD"], "period": "1m"},
    "BookService/StreamBook": {"instruments": ["EUR/USD"]},
    "HistoryService/Replay": {"instruments": ["EUR/USD"], **START},
    "HistoryService/StreamTicks": {"base": "EUR", "counter": "USD", **START},
    "MarginCallService/StreamMarginCalls": {},
    "MarketDataService/StreamHealth": {"instruments": ["EUR/USD"]},
    "MarketDataService/StreamQuotes": {"instruments": ["EUR/USD"]},
    "PipelineService/WatchJob": {"jobId": "018f0000-0000-7000-8000-000000000000"},
    "PriceStreamService/StreamPrices": {
        "products": [{"instrument": "EUR/USD", "spot": {"notional": 1}}],
        "market": "live",
    },
    "KillSwitchService/StreamState": {},
    "ReleaseService/WatchRelease": {"release": "r-1"},
    "RiskService/Backtest": {"confidence": 0.99, "series": {"profit": [0.0, 0.0], "valueAtRisk": [1.0]}},
    "RiskService/CalculateVar": {"historical": {"days": 20}, "method": 1, "confidence": [0.99], "book": BOOK},
    "TradingService/StreamExecutions": {},
    "TradingService/TradeSession": {"logon": {"session": "s-1"}},
}
"""The row of each method that streams: a request that its rules let through, but for the account."""


def short(method: MethodContract) -> str:
    """Service and method without the package."""
    return method.path.rpartition(".")[2]


def streamed(method: MethodContract) -> Message:
    """The request of a method's row."""
    return json_format.ParseDict(STREAMS[short(method)], method.input._concrete_class())


async def test_every_method_that_streams_has_a_row() -> None:
    """A new one fails the build until it has; rows of methods that are gone fail it too."""
    wanted = {short(m) for m in contracts().values() if m.server_streaming and m.roles}
    assert wanted == STREAMS.keys()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[GuardedMesh]:
    """A guarded mesh in which one session was ended and one user's grants have changed."""
    async with guarded_mesh(tmp_path_factory.mktemp("matrix")) as made:
        await made.publish("session_revoked", "s-gone")
        await grants_change(made)
        await until(lambda: all(s.known == {"sessions": 1, "subjects": 1} for s in made.revocations))
        yield made


async def grants_change(mesh: GuardedMesh) -> None:
    """The grants of a user change now, and every service knows it."""
    await mesh.publish("grants_changed", CHANGED)
    mesh.changed_at = int(time.time())
    before = Client("", ROLES, (), subject=CHANGED, session="s-1", issue_time=mesh.changed_at - BEFORE_S)
    await until(lambda: all(each.hit(before) for each in mesh.revocations))


class Tokens:
    """The token of each role in each situation."""

    def __init__(self, issuer: Issuer, changed_at: int) -> None:
        self._issuer = issuer
        self._changed_at = changed_at
        self._made: dict[tuple[str, Situation], str | None] = {}

    def of(self, role: str, situation: Situation) -> str | None:
        """None for no token."""
        key = (role, situation)
        if key not in self._made:
            self._made[key] = self._make((role,), situation)
        return self._made[key]

    def _make(self, roles: tuple[str, ...], situation: Situation) -> str | None:
        issuer, now = self._issuer, int(time.time())
        accounts = {"accounts": ["mine-*"]}
        match situation:
            case Situation.NONE:
                return None
            case Situation.EXPIRED:
                return issuer.token(roles, **accounts, iat=now - 600, nbf=now - 600, exp=now - 300)
            case Situation.AUDIENCE:
                return issuer.token(roles, **accounts, aud="another")
            case Situation.ISSUER:
                return issuer.token(roles, **accounts, iss="https://elsewhere.example")
            case Situation.ALGORITHM:
                return compact(issuer.header(alg="HS256"), issuer.claims(roles, **accounts), b"\0" * 32)
            case Situation.REVOKED:
                return issuer.token(roles, **accounts, sid="s-gone")
            case Situation.CHANGED:
                before = self._changed_at - BEFORE_S
                return issuer.token(roles, **accounts, sub=CHANGED, iat=before, nbf=before, exp=before + 300)
        return issuer.token(roles, **accounts)


async def in_parallel(work: Iterable[Any], do: Any, workers: list[Any]) -> None:
    """Does pieces of work, each worker one at a time."""
    todo = iter(work)

    async def worker(tool: Any) -> None:
        for piece in todo:
            await do(tool, *piece)

    await asyncio.gather(*(worker(tool) for tool in workers))


def asked_of(method: MethodContract, turn: int) -> Iterator[tuple[MethodContract, str, Situation]]:
    """The cells of a method; what the edge refuses to any role the suite asks with one, with another at each turn."""
    roles = sorted(ROLES)
    for role, situation in cells(method):
        if WHOLE or situation not in REFUSED_AT_ONCE or role == roles[turn % len(roles)]:
            yield method, role, situation


@pytest.mark.parametrize("way", ["gRPC", "REST", "gRPC-Web"])
async def test_no_cell_of_the_matrix_is_wrong(mesh: GuardedMesh, way: str) -> None:
    """Whoever may is let in, whoever may not is refused with the code that tells him why. With
    CROSSRATE_TEST_WHOLE_MATRIX=1 every cell is asked over every way."""
    wrong, seen = [], Counter()
    methods = [m for m in contracts().values() if m.workload in mesh.topology.services]
    asked = {m.path: {a: ask(m, a, streamed(m) if m.server_streaming and m.roles else None) for a in (MINE, THEIRS)}
             for m in methods}  # fmt: skip
    work = [cell for turn, m in enumerate(methods) for cell in asked_of(m, turn)]
    if way != "gRPC":
        work = [w for w in work if not w[0].client_streaming]
    if way == "REST":
        work = [w for w in work if w[0].rest]
    if way != "gRPC" and not WHOLE:
        work = [cell for number, cell in enumerate(work) if number % SHARE == 0]
    channel = LoadChannel(mesh.ports["edge"], mesh.place.ca_bundle.read_bytes())
    do = {"gRPC": by_grpc, "REST": by_rest, "gRPC-Web": by_web}[way]

    async def cell(tool: Any, method: MethodContract, role: str, situation: Situation) -> None:
        request = asked[method.path][THEIRS if situation is Situation.THEIRS else MINE]

        async def verdict() -> tuple[int] | None:
            found = await do(tool, method, request, tokens.of(role, situation))
            return None if unanswered(method, found) else (found,)

        (found,) = await until(verdict)
        due = expected(method, role, situation)
        seen[due] += 1
        passed = PASSED_BY_CONTROL if method.workload == "control" else PASSED
        refused = (due, 404) if way == "REST" and not method.roles else (due,)
        if found not in (refused if due else passed):
            wrong.append(f"{short(method)} {role} {situation.value}: {found}, not {due}")

    raws = [RawHttp(mesh.ports["edge"], mesh.place.ca_bundle.read_text()) for _ in range(IN_FLIGHT)]
    for at in range(0, len(work), SLICE):
        # A token lives five minutes, and the whole matrix longer on a busy machine.
        await grants_change(mesh)
        tokens = Tokens(mesh.issuer, mesh.changed_at)
        await in_parallel(work[at : at + SLICE], cell, [channel] * IN_FLIGHT if way == "gRPC" else raws)
    await channel.close()
    for raw in raws:
        await raw.close()
    assert not wrong, (len(wrong), len(work), wrong[:40])
    assert min(seen[0], seen[7], seen[16]) > 50
    assert {role for _, role, _ in work} == ROLES


@pytest.mark.parametrize("way", ["gRPC", "REST", "gRPC-Web"])
async def test_what_takes_a_second_factor_takes_no_old_one(mesh: GuardedMesh, way: str) -> None:
    """Every method with `step_up`, with each of its roles: refused without a factor and with one of an hour ago, let in
    with a fresh one; what the contract exempts needs none, and everything else of that method does."""
    now, edge, roots = int(time.time()), mesh.ports["edge"], mesh.place.ca_bundle.read_bytes()
    proofs = {"none": {"acr": "1", "auth_time": now}, "old": {"auth_time": now - 3600}, "fresh": {"auth_time": now}}
    do = {"gRPC": by_grpc, "REST": by_rest, "gRPC-Web": by_web}[way]
    channel = LoadChannel(edge, roots)
    tool = channel if way == "gRPC" else RawHttp(edge, roots.decode())
    wrong, cells_seen = [], 0
    for method in (m for m in contracts().values() if m.step_up):
        requests = values(method, streamed(method) if method.server_streaming else None)
        for role, (request, free) in itertools.product(sorted(method.roles), requests):
            for proof, claims in proofs.items():
                token = mesh.issuer.token((role,), accounts=["mine-*"], **claims)

                async def verdict(m=method, r=request, t=token) -> tuple[int] | None:
                    found = await do(tool, m, r, t)
                    return None if unanswered(m, found) else (found,)

                (found,) = await until(verdict)
                let_in = found in (PASSED_BY_CONTROL if method.workload == "control" else PASSED)
                cells_seen += 1
                if not (let_in if free or proof == "fresh" else found == DENIED):
                    wrong.append(f"{short(method)} {role} {proof}: {found}")
    await channel.close()
    if tool is not channel:
        await tool.close()
    assert not wrong, wrong
    assert cells_seen > 100


async def test_every_open_stream_ends_with_the_role_it_lived_on(mesh: GuardedMesh) -> None:
    """Of each method that streams and each role: once the grants have changed, nothing more comes, and the client hears
    UNAUTHENTICATED with its reason, over gRPC, REST and gRPC-Web."""
    # The real control's tap says nothing before somebody calls; its chain is that of the others.
    methods = [m for m in contracts().values() if m.server_streaming and m.roles and m.workload != "control"]
    now = int(time.time())
    issued = {"sub": "u-midway", "iat": now - 5, "exp": now + 200}
    begun: set[tuple[str, ...]] = set()
    # A connection each, for the edge lets no connection have more streams than the topology says.
    channels = {m.path: LoadChannel(mesh.ports["edge"], mesh.place.ca_bundle.read_bytes()) for m in methods}
    roots = mesh.place.ca_bundle.read_text()

    async def plain(method: MethodContract, token: str, key: tuple[str, ...]) -> str:
        kind = "stream_stream" if method.client_streaming else "unary_stream"
        raw = ask(method, MINE, streamed(method)).raw
        request = still_open(raw) if method.client_streaming else raw
        call = getattr(channels[method.path], kind)(method.path)(
            request, metadata=list(headers_of(token).items()), timeout=60
        )
        try:
            await call.read()
            begun.add(key)
            while await call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            failure = failure_of(error)
            return f"{error.code().value[0]} {failure.reason.name if failure else error.details()}"
        return "ended"

    async def over_http(method: MethodContract, token: str, key: tuple[str, ...]) -> str:
        way = key[-1]
        client, asked = RawHttp(mesh.ports["edge"], roots), ask(method, MINE, streamed(method))
        if way == "REST":
            headers = headers_of(token) | ({"content-type": "application/json"} if asked.body else {})
            answer, chunks = await client.begin(asked.verb, asked.path, headers, asked.body)
        else:
            headers = headers_of(token) | {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
            frame = bytes([0]) + len(asked.raw).to_bytes(4, "big") + asked.raw
            answer, chunks = await client.begin("POST", method.path, headers, frame)
        if answer.status in AWAY:
            await client.close()
            return await over_http(method, token, key)
        assert answer.status == 200, (method.path, answer)
        assert chunks is not None
        async for chunk in chunks:
            answer.body += chunk
            begun.add(key)
        await client.close()
        if way == "REST":
            return "16 SESSION_REVOKED" if b"SESSION_REVOKED" in answer.body else f"ended: {answer.body[-200:]!r}"
        return f"{web_code(answer)} SESSION_REVOKED"

    streams = {}
    for method in methods:
        for role in sorted(method.roles):
            token = mesh.issuer.token((role,), accounts=["mine-*"], **issued)
            for way in ("gRPC",) if method.client_streaming else ("gRPC", "REST", "gRPC-Web"):
                key = (short(method), role, way)
                open_one = plain if way == "gRPC" else over_http
                streams[key] = asyncio.create_task(open_one(method, token, key))
    await until(lambda: begun == streams.keys() or any(stream.done() for stream in streams.values()))
    early = {key: stream.result() for key, stream in streams.items() if stream.done()}
    assert not early, early
    assert begun == streams.keys()
    await mesh.publish("grants_changed", "u-midway")
    ends = await asyncio.wait_for(asyncio.gather(*streams.values()), 60)
    for channel in channels.values():
        await channel.close()
    wrong = {key: end for key, end in zip(streams, ends, strict=True) if end != "16 SESSION_REVOKED"}
    assert not wrong, wrong


async def still_open(raw: bytes) -> AsyncIterator[bytes]:
    """A stream of requests that goes on after its first."""
    yield raw
    await asyncio.Event().wait()
