"""`crossrate fault`: faults for drills."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Annotated, Any

import typer

from crossrate.cli.options import Comment, DryRun, Json

fault_app = typer.Typer(
    help="""Faults for drills: hold up, refuse or cut off calls, for a time that ends by itself.

\b
  crossrate fault add pricing --delay 200ms --percent 10 --for 5m     every tenth call waits
  crossrate fault add risk --abort UNAVAILABLE --caller trading       trading is cut off from risk
  crossrate fault add trading --method PlaceOrder --abort INTERNAL    one method fails, for clients and services
  crossrate fault list
  crossrate fault remove FAULT          before its time; `all` for every one

\b
The proxy in front of the service does it, for gRPC, REST and other services alike. Deadlines run on, so that a delay
longer than one is what a caller sees of a network that swallows. A fault lasts an hour at most, and none outlives a
restart of the control plane.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Code(StrEnum):
    """What a refused call is answered."""

    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    ABORTED = "ABORTED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    DATA_LOSS = "DATA_LOSS"
    UNAUTHENTICATED = "UNAUTHENTICATED"


def _seconds(text: str, option: str) -> float:
    from crossrate.basics.duration import duration_s
    from crossrate.cli.show import CommandError

    try:
        return duration_s(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}", "e.g. 200ms, 2s, 1m30s") from None


def _what(fault: Any) -> str:
    wait = f"waits {fault.delay.ToTimedelta().total_seconds():g} s" if fault.HasField("delay") else ""
    return ", then ".join(filter(None, [wait, fault.abort_code]))


def _show(faults: list[Any], *, as_json: bool) -> None:
    from crossrate.cli import show
    from crossrate.cli.requests import as_dict

    if as_json:
        show.document([as_dict(each) for each in faults])
        return
    rows = [
        (
            each.fault,
            each.method or each.service,
            each.caller or "everybody",
            f"{each.percent:g} %",
            _what(each),
            each.expire_time.ToDatetime().strftime("%H:%M:%S"),
            each.comment,
        )
        for each in faults
    ]
    show.table(("fault", "calls of", "by", "share", "what", "until, UTC", "why"), rows)


def _ask(question: Any) -> Any:
    from crossrate.api.control.v1.fault_service_pb2_grpc import FaultServiceStub
    from crossrate.cli import reach

    return reach.ask(FaultServiceStub, question)


@fault_app.command()
def add(
    service: Annotated[str, typer.Argument(help="Whose calls.", metavar="SERVICE")],
    delay: Annotated[str, typer.Option(help="So long each call waits, e.g. 200ms.")] = "",
    abort: Annotated[Code | None, typer.Option(help="Answer instead of serving.", case_sensitive=False)] = None,
    method: Annotated[str, typer.Option(help="One method alone, e.g. PlaceOrder or TradingService/PlaceOrder.")] = "",
    caller: Annotated[str, typer.Option(help="Calls of this service alone, or of clients: edge.")] = "",
    percent: Annotated[float, typer.Option(help="Share of the calls.", min=0.0001, max=100.0)] = 100.0,
    lifetime: Annotated[str, typer.Option("--for", help="How long, 1s to 1h.")] = "1m",
    comment: Comment = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put a fault in force. When it answers, every proxy has it."""
    from crossrate.api.control.v1 import fault_service_pb2 as pb
    from crossrate.cli import show
    from crossrate.cli.calls import contract_of

    if method and "/" not in method:
        method = contract_of(method).path.rpartition(".")[2]
    fault = pb.Fault(service=service, method=method, caller=caller, percent=percent, comment=comment)
    fault.abort_code = abort.value if abort else ""
    request = pb.AddFaultRequest(request_id=str(uuid.uuid4()), fault=fault, validate_only=dry_run)
    if delay:
        request.fault.delay.FromNanoseconds(round(_seconds(delay, "--delay") * 1e9))
    request.lifetime.FromNanoseconds(round(_seconds(lifetime, "--for") * 1e9))
    _show([_ask(lambda stub: stub.AddFault(request)).fault], as_json=as_json)
    if dry_run and not as_json:
        show.note("nothing was changed")


@fault_app.command("list")
def every(as_json: Json = False) -> None:
    """The faults in force, the newest first."""
    from crossrate.api.control.v1 import fault_service_pb2 as pb

    _show(list(_ask(lambda stub: stub.ListFaults(pb.ListFaultsRequest())).faults), as_json=as_json)


@fault_app.command()
def remove(
    fault: Annotated[str, typer.Argument(help="Its name, or `all`.", metavar="FAULT")], as_json: Json = False
) -> None:
    """End a fault before its time."""
    from crossrate.api.control.v1 import fault_service_pb2 as pb

    request = pb.RemoveFaultRequest(request_id=str(uuid.uuid4()), fault="" if fault == "all" else fault)
    _show(list(_ask(lambda stub: stub.RemoveFault(request)).removed), as_json=as_json)
