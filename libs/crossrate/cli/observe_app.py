"""`crossrate edges`, `top`, `why` and `tap`: the mesh as it works now."""

from __future__ import annotations

from typing import Annotated

import typer

from crossrate.cli.options import Comment, Json

Window = Annotated[str, typer.Option("--window", "-w", help="Over the last so long: 100ms to 15s.")]
Once = Annotated[bool, typer.Option("--once", help="Show it once and end. So it is wherever no terminal is.")]


def edges(
    service: Annotated[str, typer.Option("--service", "-s", help="Only calls to this service.")] = "",
    caller: Annotated[str, typer.Option("--caller", "-c", help="Only calls by this service; clients are edge.")] = "",
    idle: Annotated[bool, typer.Option("--idle", help="Also what nobody called in the window.")] = False,
    window: Window = "2s",
    once: Once = False,
    as_json: Json = False,
) -> None:
    """Show who calls whom: rate, success, latency by caller, method and version; live on a terminal.

    \b
      crossrate edges                        everything that is called now, the busiest first
      crossrate edges -s pricing --window 10s
      crossrate edges --once --json | jq '.edges[] | {caller, service, method, callsPerS}'

    \b
    Success leaves out what is an answer: a refused order is one. Failures are the server's: UNAVAILABLE, INTERNAL,
    DEADLINE_EXCEEDED and their like. Latency is the callee's, from arrival to status.
    """
    from crossrate.cli import observe

    observe.edges(service, caller, idle=idle, window=window, once=once, as_json=as_json)


def top(
    sort: Annotated[
        str, typer.Option("--sort", help="cpu, memory, calls, failures, p99 or name.", metavar="COLUMN")
    ] = "cpu",
    window: Window = "2s",
    once: Once = False,
    as_json: Json = False,
) -> None:
    """Show what each process takes: processor, memory, calls, failures, delays; live on a terminal.

    \b
      crossrate top
      crossrate top --sort memory --once

    \b
    100 % is one core. Memory is PSS: a process's own pages and its share of those that it has with others. PostgreSQL,
    NATS and Envoy are among the processes. Lag is the longest that an event loop let something wait in the last 5 s.
    """
    from crossrate.cli import observe

    observe.top(sort, window=window, once=once, as_json=as_json)


def why(
    request_id: Annotated[str, typer.Argument(help="As errors, logs and x-request-id name it.", metavar="REQUEST_ID")],
    as_json: Json = False,
) -> None:
    """Explain one call: each hop with version and times, and what let it in or refused it.

    \b
      crossrate why 307ad00b-c80d-4eb8-a36d-2cfbe95d8e00
      crossrate why 307ad00b-c80d-4eb8-a36d-2cfbe95d8e00 --json

    \b
    An instance keeps its 512 newest calls, 1,024 that failed or took half a second, and of the others one of 256; it
    keeps neither requests nor answers nor tokens. Calls that proxies refused or lost are here too. Of a call over its
    rate limit nothing is kept: its answer says so.
    """
    from crossrate.cli import observe

    observe.why(request_id, as_json=as_json)


def tap(
    method: Annotated[str, typer.Argument(help="A method; all if left out.", metavar="METHOD")] = "",
    service: Annotated[str, typer.Option("--service", "-s", help="Only calls to this service.")] = "",
    caller: Annotated[
        list[str] | None, typer.Option("--caller", "-c", help="Only calls by these; clients are edge.")
    ] = None,
    account: Annotated[str, typer.Option(help="Only calls whose request names this account.")] = "",
    code: Annotated[list[str] | None, typer.Option(help="Only calls that ended so, e.g. NOT_FOUND.")] = None,
    request_id: Annotated[str, typer.Option("--request", help="Only calls under this request id.")] = "",
    sample: Annotated[float, typer.Option(min=0.0, max=100.0, help="Share of the calls in percent; 0: all.")] = 0.0,
    max_messages: Annotated[int, typer.Option("--max", min=0, help="End after this many messages.")] = 0,
    lasts: Annotated[str, typer.Option("--for", help="End after this time, at most 1h.")] = "10m",
    headers: Annotated[bool, typer.Option("--headers", help="Sizes, codes and times instead of bodies.")] = False,
    comment: Comment = "",
    as_json: Json = False,
) -> None:
    """Watch requests and answers as they pass, decoded and redacted. Who watches what is a fact of the audit.

    \b
      crossrate tap GetQuote
      crossrate tap PlaceOrder --account spot-1 -m "ticket 4711"
      crossrate tap --service risk --code UNAVAILABLE --code INTERNAL --for 1m
      crossrate tap --headers --sample 1

    \b
    Messages of calls that are chosen by code are shown when the call has ended. What you are too slow for is left out
    and counted; no call waits for you. There is no going back: begin before what you want to see.
    """
    from crossrate.cli import observe

    observe.tap(
        method,
        {
            "service": service,
            "callers": caller or [],
            "account": account,
            "codes": [each.upper() for each in code or ()],
            "call_request_id": request_id,
            "sample_percent": sample,
            "max_messages": max_messages,
            "comment": comment,
        },
        lasts=lasts,
        headers=headers,
        as_json=as_json,
    )
