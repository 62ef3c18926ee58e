"""How the command line shows things: text and tables for people, JSON for programs, errors with what to do next.

Answers go to standard output, one JSON document or JSON lines with --json; everything else goes to standard error.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class CommandError(Exception):
    """A command cannot do what it was asked; `remedy` is what the person can do about it."""

    def __init__(self, message: str, remedy: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.details = details or {}


REMEDIES = {
    "INVALID_REQUEST": "correct the fields above; `crossrate explain METHOD` shows each field's rule",
    "UNKNOWN_FIELD": "`crossrate explain METHOD` lists the request's fields",
    "REQUEST_ID_REUSED": "use a new requestId for a new change",
    "CALLER_NOT_ALLOWED": "`crossrate authz METHOD` shows who may call it and why",
    "NO_IDENTITY": "call it through the edge, or as a service with --as",
    "DEADLINE_EXCEEDED": "`crossrate why REQUEST_ID` shows where its time went, `crossrate status` what is unhealthy",
    "DEADLINE_TOO_SHORT": "give it more time with --timeout",
    "TOO_MANY_REQUESTS": "repeat it after the time that the server named",
    "RATE_LIMITED": "repeat it after the time that the server named",
    "DEPENDENCY_UNAVAILABLE": "`crossrate status` shows which process is unhealthy",
    "SHUTTING_DOWN": "repeat it: another instance takes over",
    "INTERNAL": "`crossrate why REQUEST_ID` shows its way; find the request id in `crossrate logs`",
    "VERSION_CONFLICT": "read it again and repeat the change with the version that is there now",
    "CURSOR_EXPIRED": "begin without a cursor; what lies between is in the history",
    "NO_QUOTE": "`crossrate call GetTradingSession …` says whether the market is open; see `crossrate logs marketdata`",
    "OUTCOME_UNKNOWN": "repeat it with the same requestId: it is applied once",
}
NOT_FOUND_REMEDIES = {
    "release": "`crossrate release history` lists them",
    "fault": "`crossrate fault list` lists those in force",
    "service": "`crossrate status` lists them",
    "call": "look for it soon after it was made; `crossrate logs` may have more",
    "instrument": "`crossrate call ListInstruments` lists them",
    "account": "`crossrate accounts list` shows them",
    "order": "`crossrate orders list ACCOUNT` shows them",
}
"""Where to look for what there is not, by its resource; the message of others says it."""
CODE_REMEDIES = {
    "PERMISSION_DENIED": "`crossrate authz METHOD` shows who may call it and why",
    "UNAUTHENTICATED": "`crossrate login`; `crossrate whoami` shows who you are",
    "UNAVAILABLE": "`crossrate status` shows which process is missing; `crossrate up` starts the mesh",
    "DEADLINE_EXCEEDED": "`crossrate status` shows what is unhealthy; --timeout gives it more time",
    "UNIMPLEMENTED": "the process that answered does not serve it: `crossrate routes` shows who does",
}


PIPE_COLUMNS = 160
"""Width of tables that go into a file or a pipe, unless COLUMNS says otherwise."""

CONTROL = "/crossrate.api.control.v1.ControlService/"


@cache
def console() -> Console:
    """The console of answers."""
    return _console(sys.stdout.isatty(), stderr=False)


@cache
def aside() -> Console:
    """The console of progress, notes and errors."""
    return _console(sys.stderr.isatty(), stderr=True)


def _console(terminal: bool, *, stderr: bool) -> Console:
    from rich.console import Console

    width = None if terminal or "COLUMNS" in os.environ else PIPE_COLUMNS
    return Console(stderr=stderr, highlight=False, soft_wrap=not terminal, width=width)


def document(value: Any) -> None:
    """One JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False), flush=True)


def line(value: Any) -> None:
    """One JSON document on one line."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def note(text: str) -> None:
    """Something that a person should know, beside the answer."""
    aside().print(text, style="dim", markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table. Cells are text or rich renderables; numbers are right-aligned by a column name ending in a space. Ids
    are never folded: they are there to be copied."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    rows = list(rows)
    for place, column in enumerate(columns):
        ids = bool(rows) and all(_ID.fullmatch(str(row[place])) for row in rows)
        justify = "right" if column.endswith(" ") else "left"
        shown.add_column(column.strip(), justify=justify, overflow="fold", no_wrap=ids)
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    console().print(shown)


def mark(text: str, good: bool | None) -> Any:
    """Text in the colour of its meaning; None is neither good nor bad."""
    from rich.text import Text

    return Text(text, style={True: "green", False: "bold red", None: "yellow"}[good])


def seconds(value: float) -> str:
    """A duration as people say it: 0.8 s, 42 s, 3 min, 5 h, 2 d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if value >= 2 * size:
            return f"{value / size:.0f} {unit}"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def failure(error: Exception, *, as_json: bool) -> None:
    """Shows why a command failed and what to do next."""
    told = describe(error)
    if as_json:
        print(json.dumps({"error": told}, ensure_ascii=False), file=sys.stderr, flush=True)
        return
    from rich.markup import escape

    head = " ".join(filter(None, [told.get("code"), f"({told['reason']})" if told.get("reason") else ""]))
    # A server's text of an invalid request repeats its violations, which follow line by line.
    message = "" if told.get("violations") else told["message"]
    aside().print(f"[bold red]error[/] {escape(': '.join(filter(None, [head, message])))}")
    for violation in told.get("violations", ()):
        aside().print(f"  [bold]{escape(violation['field'])}[/]: {escape(violation['description'])}")
    for key, value in told.get("metadata", {}).items():
        aside().print(f"  {escape(key)}: {escape(str(value))}", style="dim")
    if told.get("requestId"):
        aside().print(f"  request id: {escape(told['requestId'])}", style="dim")
    if told.get("remedy"):
        aside().print(f"[bold]→[/] {escape(told['remedy'])}")


def describe(error: Exception) -> dict[str, Any]:
    """An error as data: message, remedy, and for a call its code, reason, metadata and violations."""
    if hasattr(error, "violations"):  # a CallError; its module is not loaded for commands that make no call
        code = error.code().name
        told: dict[str, Any] = {"code": code, "message": error.message or "no text", "method": error.method}
        name = error.method.rsplit("/", 1)[-1]
        if error.call_id:
            told["requestId"] = error.call_id
        if error.reason:
            told |= {"reason": error.reason, "metadata": error.metadata}
        if error.violations:
            told["violations"] = [v._asdict() for v in error.violations]
        if error.retry_after_s is not None:
            told["retryAfterS"] = error.retry_after_s
        remedy = REMEDIES.get(error.reason) or CODE_REMEDIES.get(code, "")
        if error.reason == "NOT_FOUND":
            remedy = NOT_FOUND_REMEDIES.get(error.metadata.get("resource", ""), "")
        if code == "PERMISSION_DENIED" and error.method.startswith(CONTROL):
            remedy = f"call it as the mesh's local operator: crossrate call {name} --local control-1"
        return told | {"remedy": remedy.replace("METHOD", name).replace("REQUEST_ID", error.call_id or "REQUEST_ID")}
    told = {"message": str(error) or type(error).__name__}
    if isinstance(error, CommandError):
        told |= error.details | {"remedy": error.remedy}
    return told
