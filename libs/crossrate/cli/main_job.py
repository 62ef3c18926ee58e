"""`crossrate run`: the platform end to end. Starts the mesh, reads its data in every way, proves what it promises."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1.control_service_pb2_grpc import ControlServiceStub
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.marketdata.v1.quote_pb2 import QuoteHealth
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
from crossrate.cli import day_feed, lifecycle, reach, show, trading_report
from crossrate.cli.audit_day import audited
from crossrate.cli.fix_desk import Access
from crossrate.cli.trading_day import Report, TradingDay, new_tag
from crossrate.cli.traffic import Traffic
from crossrate.cli.web import Web, WebError
from crossrate.client import AsyncClient, CallError, NoMesh, OrderRejected, OutcomeUnknown, SessionEnded
from crossrate.client.find import DEFAULT_CLIENT
from crossrate.node import client as node
from crossrate.node.leftovers import AlreadyRunning, running_node
from crossrate.rpc.call import new_request_id
from crossrate.runtime.place import place

STEP_S_MAX = 45.0
QUOTE_METHOD = "/crossrate.api.marketdata.v1.MarketDataService/GetQuote"
TRADES = frozenset({"broker", "ledger", "risk", "trading"})
"""The services that a trading day needs."""
EXPECTED = (
    CallError,
    WebError,
    NoMesh,
    OrderRejected,
    OutcomeUnknown,
    SessionEnded,
    show.CommandError,
    node.NodeError,
    OSError,
    grpc.RpcError,
    ValueError,
)
"""What a step may fail with and be shown by its message; anything else is a defect and shown with its type."""


class StepFailed(ValueError):
    """A step saw something else than what the platform promises."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step of the main job came to."""

    name: str
    ok: bool
    result: str
    seconds: float


class MainJob:
    """The steps after the start, each by itself: one that fails does not keep the others from being tried."""

    def __init__(self, client: AsyncClient, web: Web) -> None:
        self._client = client
        self._web = web

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        """Names and work, in order."""
        return [
            ("ECB history", self.history),
            ("quote as gRPC", self.quote_grpc),
            ("quotes as gRPC stream", self.quote_stream),
            ("quote as REST", self.quote_rest),
            ("quotes as SSE", lambda: self.quotes_web("text/event-stream")),
            ("quotes as NDJSON", lambda: self.quotes_web("application/x-ndjson")),
            ("quote as gRPC-Web", self.quote_grpc_web),
            ("marketdata → reference", self.allowed_call),
            ("reference → marketdata", self.refused_call),
            ("certificates rotate", self.rotation),
        ]

    async def history(self) -> str:
        """Reads all daily rates of EUR/USD, page by page."""
        count, first, last = 0, None, None
        async for rate in self._client.marketdata.ListDailyRates.items(base="EUR", counter="USD", page_size=10_000):
            first, last = first or rate, rate
            count += 1
        if first is None or last is None:
            raise StepFailed("there are no daily rates of EUR/USD")
        return f"{count:,} days, {_day(first.date)} {first.rate:.4f} to {_day(last.date)} {last.rate:.4f}"

    async def quote_grpc(self) -> str:
        """One quote."""
        answer = await self._client.marketdata.GetQuote(base="EUR", counter="USD")
        return _quote_words(answer.quote)

    async def quote_stream(self) -> str:
        """Some quotes of a stream, without a gap."""
        gaps: list[Any] = []
        quotes = []
        async for quote in self._client.stream_quotes(["EUR/USD", "USD/JPY"], on_gap=gaps.append):
            quotes.append(quote)
            if len(quotes) == 6:
                break
        if gaps:
            raise StepFailed(gaps[0].reason)
        return f"{len(quotes)} without a gap, the last {_quote_words(quotes[-1])}"

    async def quote_rest(self) -> str:
        """The same as JSON over HTTPS."""
        quote = (await asyncio.to_thread(self._web.get, "/v1/quotes/EUR/USD"))["quote"]
        return f"{quote['instrument']} {quote['bid']:.5f} / {quote['ask']:.5f}"

    async def quotes_web(self, accept: str) -> str:
        """A stream as a browser or curl reads it: two messages with quotes, then its end."""
        path = "/v1/quotes:stream?instruments=EUR/USD&maxMessages=2"
        lines = await asyncio.to_thread(lambda: list(self._web.lines(path, accept)))
        messages = [json.loads(line.removeprefix("data:")) for line in lines]
        quotes = [q for m in messages for q in m.get("quotes", {}).get("quotes", ())]
        if not quotes or "end" not in messages[-1]:
            raise StepFailed(f"expected quotes and an end, got {lines[-1] if lines else 'nothing'}")
        return f"{len(messages)} messages, the last bid {quotes[-1]['bid']:.5f}"

    async def quote_grpc_web(self) -> str:
        """The same as a browser's gRPC client frames it."""
        request = marketdata.GetQuoteRequest(base="EUR", counter="USD").SerializeToString()
        answer = await asyncio.to_thread(self._web.grpc_web, QUOTE_METHOD, request)
        return _quote_words(marketdata.GetQuoteResponse.FromString(answer).quote)

    async def allowed_call(self) -> str:
        """A call that contract and topology allow."""
        async with reach.as_service("marketdata") as channel:
            request = reference.GetInstrumentRequest(base="EUR", counter="USD")
            answer = await ReferenceServiceStub(channel).GetInstrument(request)
        return f"allowed: {answer.instrument.name}, pip {answer.instrument.pip}"

    async def refused_call(self) -> str:
        """A call that the callee's proxy has to refuse."""
        async with reach.as_service("reference") as channel:
            try:
                request = marketdata.GetQuoteRequest(base="EUR", counter="USD")
                await MarketDataServiceStub(channel).GetQuote(request)
            except CallError as error:
                if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                    return "refused with PERMISSION_DENIED, as it must be"
                raise
        raise StepFailed("the mesh let a call pass that the topology does not allow")

    async def rotation(self) -> str:
        """New certificates for every identity while calls and a stream go on; none may fail."""
        roots, proof = place().ca_bundle.read_bytes(), place().client_certificate(DEFAULT_CLIENT).read_bytes()
        async with reach.control() as channel, Traffic(self._client.target, roots, proof) as traffic:
            stub = ControlServiceStub(channel)
            await traffic.flowing()
            before = await stub.ListCertificates(control.ListCertificatesRequest())
            after = await stub.RotateCertificates(
                control.RotateCertificatesRequest(request_id=new_request_id(), scope=control.ROTATION_SCOPE_WORKLOADS)
            )
            await traffic.flowing()
        old = {c.identity: c.serial for c in before.certificates}
        kept = [c.identity for c in after.certificates if old.get(c.identity) == c.serial]
        if kept or not after.certificates:
            raise StepFailed(f"not every certificate is new: {', '.join(kept) or 'there are none'}")
        words = f"{len(after.certificates)} new; {traffic.calls} calls, {traffic.messages} stream messages"
        if traffic.failures:
            raise StepFailed(f"{words}, {traffic.failed} failed: {traffic.failures.most_common(1)[0][0]}")
        return f"{words}, 0 failed"


def _day(date: Any) -> str:
    return f"{date.year}-{date.month:02}-{date.day:02}"


def _quote_words(quote: Any) -> str:
    health = QuoteHealth.Name(quote.health).removeprefix("QUOTE_HEALTH_")
    return f"{quote.instrument} {quote.bid:.5f} / {quote.ask:.5f} {health}"


def run(*, once: bool, as_json: bool) -> int:
    """Runs everything; returns the exit code: 0 if every step did what it promises."""
    with _interruptible():
        began = time.monotonic()
        # Known before the start, so that an interruption never stops a mesh that somebody else runs.
        ours, steps, day, tag = running_node(place()) is None, [], None, new_tag()
        try:
            start, fix = _start(tag, once=once, as_json=as_json)
            steps.append(start)
            if start.ok:
                told, day = asyncio.run(_run_steps(tag, fix, as_json=as_json))
                steps += told
            ok = all(step.ok for step in steps)
            _summary(steps, day, time.monotonic() - began, as_json=as_json)
            if not once and start.ok:
                _stay(ours)
        except KeyboardInterrupt:
            show.note("interrupted")
            return 130
        finally:
            if ours:
                with lifecycle.progress("stopping the mesh", as_json=as_json) as told:
                    node.stop(place(), told)
    return 0 if ok else 1


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets SIGTERM and a closed terminal end the job as Ctrl-C does, so that the mesh is stopped."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(tag: str, *, once: bool, as_json: bool) -> tuple[Step, Access | None]:
    """Starts the mesh unless one runs; also how a client of this day reaches its FIX gateway."""
    began, where = time.monotonic(), place()
    fix, settings = None, dict[str, str]()
    if running_node(where) is None:
        where.make()
        settings |= day_feed.declared(where, once=once)
        if "CROSSRATE_BROKER_FIX_CLIENTS" not in os.environ:
            fix, named = Access.declare(where, f"fix-{tag}")
            settings |= named
    try:
        with lifecycle.progress("starting the mesh", as_json=as_json) as told:
            # The day that this job trades ends before it is over.
            settings |= {"CROSSRATE_LEDGER_SIMULATED_DAYS": "true"} | os.environ
            node.start_detached(where, told, env=settings)
    except AlreadyRunning as error:
        show.note(f"{error}. It is used and left running.")
        return Step("mesh", True, "was running already, is used and left running", time.monotonic() - began), None
    except node.NodeError as error:
        return Step("mesh", False, str(error), time.monotonic() - began), None
    took_s = time.monotonic() - began
    with node.NodeClient(place(), timeout_s=20) as asked:
        status = asked.status()
    words = f"{len(status['processes'])} processes healthy, {status['pss_kib'] / 1024:.0f} MiB (PSS)"
    if str(where.state) in settings.get("CROSSRATE_MARKETDATA_FEEDS", ""):
        words += "; real ticks of 2014-05-08 instead of simulated ones"
    return Step("mesh", True, words, took_s), fix


async def _run_steps(tag: str, fix: Access | None, *, as_json: bool) -> tuple[list[Step], Report | None]:
    steps, day = [], None
    async with AsyncClient() as client:
        roots = place().ca_bundle.read_bytes()
        proof = place().client_certificate(DEFAULT_CLIENT)
        todo = MainJob(client, Web(client.target, roots, proof)).steps()
        if reach.topology().services.keys() >= TRADES:
            trading = TradingDay(client, Web(client.target, roots, proof), tag, fix)
            day = trading.report
            todo += trading.steps()
        if "audit" in reach.topology().services:
            todo.append(("audit", lambda: audited(client)))
        for name, work in todo:
            began = time.monotonic()
            try:
                async with asyncio.timeout(STEP_S_MAX):
                    step = Step(name, True, await work(), time.monotonic() - began)
            except TimeoutError:
                step = Step(name, False, f"not done within {STEP_S_MAX:.0f} s", STEP_S_MAX)
            except EXPECTED as error:
                step = Step(name, False, str(error), time.monotonic() - began)
            except Exception as error:
                step = Step(name, False, f"{type(error).__name__}: {error}", time.monotonic() - began)
            steps.append(step)
            if not as_json:
                show.aside().print(show.mark("✓" if step.ok else "✗", step.ok), name, "·", step.result, markup=False)
    return steps, day


def _summary(steps: list[Step], day: Report | None, took_s: float, *, as_json: bool) -> None:
    where = place()
    ok = all(step.ok for step in steps)
    edge = f"https://localhost:{json.loads(where.ports.read_text())['edge']}" if steps[0].ok else ""
    if as_json:
        rows = [{"name": s.name, "ok": s.ok, "result": s.result, "seconds": round(s.seconds, 3)} for s in steps]
        traded = {"tradingDay": trading_report.document(day)} if day is not None else {}
        show.document({"ok": ok, "seconds": round(took_s, 3), "edge": edge, "steps": rows, **traded})
        return
    rows = [(s.name, show.mark("ok" if s.ok else "FAILED", s.ok), s.result, f"{s.seconds:.2f} s") for s in steps]
    show.table(("step", "", "result", "time "), rows)
    if day is not None:
        trading_report.tables(day)
    show.console().print(f"{'everything did what it promises' if ok else 'something failed'}, {took_s:.1f} s in all\n")
    if not edge:
        show.console().print(f"logs: {where.state / 'logs'}", markup=False)
        return
    curl = f"curl --cacert {where.ca_bundle} --cert {where.client_certificate(DEFAULT_CLIENT)}"
    places = [
        ("edge", f"{edge}   gRPC, REST, gRPC-Web; {edge}/openapi.json"),
        ("roots", str(where.ca_bundle)),
        ("sockets", f"{where.run}"),
        ("logs", f"{where.state / 'logs'}   crossrate logs -f"),
        (
            "try",
            f"{curl} {edge}/v1/quotes/EUR/USD",
        ),
        ("", 'crossrate call StreamQuotes \'{"instruments": ["EUR/USD"]}\' --max 5'),
        ("", "crossrate explain GetQuote   crossrate authz   crossrate status"),
        ("", "python -c 'from crossrate.client import Client; print(Client().reference.ListCurrencies())'"),
    ]
    if shutil.which("crossrate") is None:
        places.insert(4, ("shell", f'export PATH="{Path(sys.executable).parent}:$PATH"'))
    for name, text in places:
        show.console().print(f"{name:<8} {text}", markup=False)


def _stay(ours: bool) -> None:
    """Until Ctrl-C, which ends the mesh if this job started it."""
    if not ours:
        return
    show.note("the mesh runs until Ctrl-C")
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return
