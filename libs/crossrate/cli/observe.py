"""`edges`, `top`, `why` and `tap`, asked of control as the local operator."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from crossrate.api.control.v1 import observability_service_pb2 as pb
from crossrate.api.control.v1 import tap_pb2 as tap_pb
from crossrate.api.control.v1.control_service_pb2_grpc import ControlServiceStub
from crossrate.api.control.v1.observability_service_pb2_grpc import ObservabilityServiceStub
from crossrate.basics.duration import duration_s
from crossrate.cli import reach, show
from crossrate.cli.calls import contract_of
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.cli.ways import show_way
from crossrate.rpc.call_error import CallError

REFRESH_S = 2.0
GONE_S_MAX = 30.0
"""How long a live view waits for control to come back."""
SORTS: dict[str, Callable[[Any], Any]] = {
    "cpu": lambda load: -load.processor_share,
    "memory": lambda load: -load.memory_bytes,
    "calls": lambda load: -load.calls_per_s,
    "failures": lambda load: -load.failures_per_s,
    "p99": lambda load: -load.latency_p99.ToNanoseconds(),
    "name": lambda load: load.process,
}
EDGE_COLUMNS = (
    "caller",
    "callee",
    "method",
    "version",
    "calls/s ",
    "success ",
    "p50 ms ",
    "p99 ms ",
    "open ",
    "msg/s ",
)
LOAD_COLUMNS = (
    "process",
    "pid ",
    "cpu % ",
    "memory MiB ",
    "calls/s ",
    "failed/s ",
    "p99 ms ",
    "open ",
    "lag ms ",
    "restarts ",
    "state",
)


WIDE_COLUMNS = 110
"""Below this width of the terminal, columns of WIDE_ONLY are left out; they are in --json."""
WIDE_ONLY = frozenset({"version", "open ", "msg/s ", "pid ", "lag ms ", "restarts "})


def _seconds(text: str, option: str) -> float:
    try:
        return duration_s(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}", "e.g. 500ms, 2s, 10m") from None


def _live(question: Callable[[Any], Any], draw: Callable[[Any], Any], *, window_s: float, once: bool) -> None:
    """Asks again and again and draws each answer in the place of the one before, until Ctrl-C; once where no terminal
    is."""
    if once or not show.console().is_terminal:
        show.console().print(draw(reach.ask(ObservabilityServiceStub, question)))
        return
    from rich.live import Live

    async def run() -> None:
        gone = 0.0
        with Live(console=show.console(), screen=True, auto_refresh=False) as live:
            async with reach.control() as channel:
                stub = ObservabilityServiceStub(channel)
                while True:
                    try:
                        live.update(draw(await question(stub)), refresh=True)
                        gone = 0.0
                    except CallError as error:
                        gone = gone or time.monotonic()
                        if error.code().name != "UNAVAILABLE" or time.monotonic() - gone > GONE_S_MAX:
                            raise
                    await asyncio.sleep(min(REFRESH_S, window_s))

    asyncio.run(run())


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]], caption: str) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    wide = show.console().width >= WIDE_COLUMNS
    places = [place for place, column in enumerate(columns) if wide or column not in WIDE_ONLY]
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, caption=caption, caption_justify="left")
    for column in (columns[place] for place in places):
        method = column == "method"
        justify = "right" if column.endswith(" ") else "left"
        shown.add_column(column.strip(), justify=justify, no_wrap=not method, overflow="fold" if method else "ellipsis")
    for row in rows:
        cells = [row[place] for place in places]
        shown.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in cells))
    return shown


def _ms(message: Any, field: str) -> str:
    if not message.HasField(field):
        return ""
    value = getattr(message, field).ToNanoseconds() / 1e6
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _rate(value: float) -> str:
    return "" if not value else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _caption(answer: Any, words: str) -> str:
    untold = ", ".join(each.instance for each in answer.unmeasured)
    untold = f"; not told by {untold}" if untold else ""
    return f"{words} over {answer.window.ToNanoseconds() / 1e9:.1f} s{untold}"


def edges(service: str, caller: str, *, idle: bool, window: str, once: bool, as_json: bool) -> None:
    """Who calls whom."""
    window_s = _seconds(window, "--window")
    request = pb.ListEdgesRequest(service=service, caller=caller, include_idle=idle)
    request.window.FromNanoseconds(round(window_s * 1e9))

    def question(stub: Any) -> Any:
        return stub.ListEdges(request)

    if as_json:
        show.document(as_dict(reach.ask(ObservabilityServiceStub, question)))
        return
    _live(question, _edges, window_s=window_s, once=once)


def _edges(answer: pb.ListEdgesResponse) -> Any:
    rows = [
        (
            each.caller,
            each.service,
            each.method.rpartition(".")[2],
            f"{each.version}{' candidate' if each.candidate else ''}",
            _rate(each.calls_per_s),
            _success(each),
            _ms(each, "latency_p50"),
            _ms(each, "latency_p99"),
            each.in_flight_count or "",
            _rate(each.messages_per_s),
        )
        for each in answer.edges
    ]
    total = sum(each.calls_per_s for each in answer.edges)
    return _table(EDGE_COLUMNS, rows, _caption(answer, f"{total:,.1f} calls a second on {len(rows)} edges"))


def _success(edge: Any) -> Any:
    if not edge.HasField("success_share"):
        return ""
    # Never rounded up to a hundred: one failure of a million is one.
    percent = edge.success_share * 100
    text = "100 %" if edge.failure_count == 0 else f"{min(percent, 99.99):.2f} %"
    return show.mark(text, edge.failure_count == 0)


def top(sort: str, *, window: str, once: bool, as_json: bool) -> None:
    """What each process takes."""
    if sort not in SORTS:
        raise CommandError(f"--sort: there is no column {sort!r}", f"give one of {', '.join(SORTS)}")
    window_s = _seconds(window, "--window")
    request = pb.ListProcessesRequest()
    request.window.FromNanoseconds(round(window_s * 1e9))

    async def question(stub: Any) -> Any:
        answer = await stub.ListProcesses(request)
        ordered = sorted(answer.processes, key=SORTS[sort])
        del answer.processes[:]
        answer.processes.extend(ordered)
        return answer

    if as_json:
        show.document(as_dict(reach.ask(ObservabilityServiceStub, question)))
        return
    _live(question, _loads, window_s=window_s, once=once)


def _loads(answer: pb.ListProcessesResponse) -> Any:
    rows = [
        (
            each.process,
            each.pid or "",
            f"{each.processor_share * 100:.1f}" if each.HasField("processor_share") else "",
            f"{each.memory_bytes / 2**20:.1f}{' resident' if each.memory_is_resident else ''}",
            _rate(each.calls_per_s),
            show.mark(_rate(each.failures_per_s), False) if each.failures_per_s else "",
            _ms(each, "latency_p99"),
            each.in_flight_count or "",
            _ms(each, "loop_lag_max"),
            show.mark(str(each.restart_count), None) if each.restart_count else "",
            each.state,
        )
        for each in answer.processes
    ]
    cpu = sum(each.processor_share for each in answer.processes)
    memory = sum(each.memory_bytes for each in answer.processes) / 2**20
    words = f"{cpu:.2f} of {answer.core_count} cores and {memory:,.0f} MiB"
    if answer.node_error:
        words += f" without what is no service ({answer.node_error})"
    return _table(LOAD_COLUMNS, rows, _caption(answer, words))


def why(request_id: str, *, as_json: bool) -> None:
    """The way of one call."""
    request = pb.ExplainCallRequest(call_request_id=request_id)
    answer = reach.ask(ObservabilityServiceStub, lambda stub: stub.ExplainCall(request))
    if as_json:
        show.document(as_dict(answer))
    else:
        show_way(answer)


def tap(name: str, fields: dict[str, Any], *, lasts: str, headers: bool, as_json: bool) -> None:
    """Shows messages as they pass through instances."""
    method = contract_of(name).path[1:] if name else ""
    kind = tap_pb.TapHeadersRequest if headers else tap_pb.TapRequest
    request: Any = kind(method=method, **fields)
    request.max_duration.FromNanoseconds(round(_seconds(lasts, "--for") * 1e9))

    async def run() -> None:
        async with reach.control() as channel:
            stub = ControlServiceStub(channel)
            if not as_json:
                show.note(f"messages of {method or 'every method'} as they pass; Ctrl-C ends it")
            async for message in _tapped(stub.TapHeaders if headers else stub.Tap, request):
                show.line(message) if as_json else _print_tapped(message)

    asyncio.run(run())


async def _tapped(call: Any, request: Any) -> AsyncIterator[dict[str, Any]]:
    async for answer in call(request):
        message = as_dict(answer.message)
        with contextlib.suppress(ValueError):  # a status's words are not JSON
            message["body"] = json.loads(message["body"])
        yield message


_ARROWS = {"TAP_DIRECTION_REQUEST": "→", "TAP_DIRECTION_RESPONSE": "←", "TAP_DIRECTION_STATUS": "■"}


def _print_tapped(message: dict[str, Any]) -> None:
    from rich.text import Text

    body = message["body"] if isinstance(message["body"], str) else json.dumps(message["body"], ensure_ascii=False)
    body = body or message["code"] or f"{message['sizeBytes']} bytes"
    who = message["caller"]
    if message["principal"] not in ("", who):
        who = f"{message['principal']} by {who}"
    took = f"  {float(message['elapsed'].rstrip('s')) * 1000:.2f} ms" if message["code"] else ""
    text = Text.assemble(
        (message["time"][11:23], "dim"),
        f" {_ARROWS.get(message['direction'], '?')} ",
        (message["method"].rsplit("/", 1)[-1], "bold"),
        (f" {who} → {message['instance']} ", "cyan"),
        body,
        (took, "dim"),
        (f"  {message['requestId']}" if message["code"] else "", "dim"),
        (f"  ({message['droppedCount']} left out)" if int(message["droppedCount"]) else "", "yellow"),
    )
    show.console().print(text)
