"""The `crossrate` command. Each command imports what it needs when it runs, so that --help is there at once."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from crossrate.cli.audit_app import audit_app
from crossrate.cli.breaks_app import breaks_app
from crossrate.cli.data_app import data_app
from crossrate.cli.fault_app import fault_app
from crossrate.cli.kill_app import kill_app
from crossrate.cli.limits_app import limits_app
from crossrate.cli.margin_app import allocate, close_outs, levels, margin
from crossrate.cli.observe_app import edges, tap, top, why
from crossrate.cli.options import Comment, DryRun, Json
from crossrate.cli.orders_app import accounts_app, orders_app, positions
from crossrate.cli.people_app import (
    clients_app,
    desks_app,
    grants_app,
    keys_app,
    login,
    logout,
    sessions_app,
    token,
    users_app,
    whoami,
)
from crossrate.cli.release_app import release_app

HELP = """Runs an FX trading platform that is a service mesh, calls it, and explains it.

\b
Begin:
  crossrate up                 start everything on this machine
  crossrate status             every process and how it does
  crossrate top                what each process takes; `edges` who calls whom, `why REQUEST_ID` one call
  crossrate explain GetQuote   every policy of a method, and where it is written
  crossrate call GetQuote '{"base": "EUR", "counter": "USD"}'

Answers go to standard output, as JSON with --json; notes and errors go to standard error. A command that fails exits
with 1, one that was not understood with 2. CROSSRATE_STATE chooses the mesh (default: .crossrate in the checkout)."""


class Panels(TyperGroup):
    """Help in plain text with the commands under their panels' headings.

    Typer's own coloured help loads a Markdown parser and takes twice as long as everything else together.
    """

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:
        """Writes the commands, one section a panel."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            panel = getattr(command, "rich_help_panel", None)
            heading = panel if isinstance(panel, str) else "Commands"
            panels.setdefault(heading, []).append((name, command.get_short_help_str(100)))
        for heading, rows in panels.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


app = typer.Typer(
    name="crossrate",
    help=HELP,
    no_args_is_help=True,
    cls=Panels,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
certs_app = typer.Typer(
    help="Certificates: which are in use, and new ones.", invoke_without_command=True, cls=Panels, rich_markup_mode=None
)
config_app = typer.Typer(
    help="Live configuration: read, change, history, back.", no_args_is_help=True, cls=Panels, rich_markup_mode=None
)
app.add_typer(certs_app, name="certs", rich_help_panel="Operate")
app.add_typer(config_app, name="config", rich_help_panel="Operate")
app.add_typer(release_app, name="release", rich_help_panel="Operate")
app.add_typer(fault_app, name="fault", rich_help_panel="Operate")
app.add_typer(data_app, name="data", rich_help_panel="Data")
app.add_typer(orders_app, name="orders", rich_help_panel="Trade")
app.add_typer(accounts_app, name="accounts", rich_help_panel="Trade")
for command in (margin, levels, close_outs, allocate):
    accounts_app.command()(command)
app.command(rich_help_panel="Trade")(positions)
app.add_typer(limits_app, name="limits", rich_help_panel="Trade")
app.add_typer(kill_app, name="kill", rich_help_panel="Trade")
app.add_typer(audit_app, name="audit", rich_help_panel="Audit")
app.add_typer(breaks_app, name="breaks", rich_help_panel="Trade")

PEOPLE = "Who may do what"
for command in (login, logout, whoami, token):
    app.command(rich_help_panel=PEOPLE)(command)
for name, group in {
    "users": users_app,
    "grants": grants_app,
    "desks": desks_app,
    "clients": clients_app,
    "keys": keys_app,
    "sessions": sessions_app,
}.items():
    app.add_typer(group, name=name, rich_help_panel=PEOPLE)

RUN, CALL, EXPLAIN, OPERATE, SEE = "Run", "Call", "Explain", "Operate", "See"
for command in (edges, top, why, tap):
    app.command(rich_help_panel=SEE)(command)

Method = Annotated[str, typer.Argument(help="GetQuote, MarketDataService/GetQuote or the full path.", metavar="METHOD")]
ServiceName = Annotated[str, typer.Argument(help="The service's one word, e.g. marketdata.", metavar="SERVICE")]


class Scope(StrEnum):
    """What a rotation renews."""

    workloads = "workloads"
    root_begin = "root-begin"
    root_finish = "root-finish"


@app.command(rich_help_panel=RUN)
def up(as_json: Json = False) -> None:
    """Start the mesh in the background and wait until everything is healthy.

    The edge listens on the topology's port; CROSSRATE_EDGE_PORT chooses another (0: any free one).
    """
    from crossrate.cli import lifecycle

    lifecycle.up(as_json=as_json)


@app.command(rich_help_panel=RUN)
def down(as_json: Json = False) -> None:
    """Stop the mesh. What it stores stays."""
    from crossrate.cli import lifecycle

    lifecycle.down(as_json=as_json)


@app.command(rich_help_panel=RUN)
def run(
    once: Annotated[bool, typer.Option("--once", help="End after the main job; exit 1 if anything failed.")] = False,
    as_json: Json = False,
) -> None:
    """Start the mesh, run the main job, show where everything is, and stay until Ctrl-C.

    A mesh that already runs is used and left running.
    """
    from crossrate.cli import main_job

    raise typer.Exit(main_job.run(once=once, as_json=as_json))


@app.command(rich_help_panel=RUN)
def status(as_json: Json = False) -> None:
    """Show every process: health, identity, certificate age, configuration version, memory (PSS).

    crossrate status --json | jq '.processes[] | {name, health, pss_kib}'
    """
    from crossrate.cli import lifecycle

    lifecycle.status(as_json=as_json)


@app.command(rich_help_panel=RUN)
def logs(
    process: Annotated[str, typer.Argument(help="A process (edge, reference-1) or a service; all if left out.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines of the past.")] = 50,
    as_json: Json = False,
) -> None:
    """Show logs of one process or of all, in order of time.

    crossrate logs -f marketdata
    """
    from crossrate.cli import lifecycle

    lifecycle.logs(process, follow=follow, lines_max=lines, as_json=as_json)


@app.command(rich_help_panel=RUN)
def restart(service: ServiceName, as_json: Json = False) -> None:
    """Restart a service without a failed call: the new instance takes over before the old one ends.

    crossrate restart reference
    """
    from crossrate.cli import lifecycle

    lifecycle.restart(service, as_json=as_json)


@app.command(rich_help_panel=CALL)
def call(
    method: Method,
    request: Annotated[str, typer.Argument(help="The request as JSON, @FILE, or - for standard input.")] = "{}",
    service: Annotated[
        str, typer.Option("--as", metavar="SERVICE", help="Call as this service, through its proxy.")
    ] = "",
    local: Annotated[str, typer.Option(metavar="INSTANCE", help="Call this instance's own socket, as operator.")] = "",
    target: Annotated[str, typer.Option(help="Another edge, HOST:PORT.")] = "",
    ca: Annotated[Path | None, typer.Option(help="Roots to trust for --target, PEM.", exists=True)] = None,
    client: Annotated[
        str | None, typer.Option(help="Client of the topology to be at the edge; '' for nobody. Here: local.")
    ] = None,
    timeout_s: Annotated[
        float | None, typer.Option("--timeout", min=0.001, help="Seconds; never more than the contract's deadline.")
    ] = None,
    max_messages: Annotated[int, typer.Option("--max", min=0, help="End a stream after this many messages.")] = 0,
    as_json: Json = False,
) -> None:
    """Call any method, by default through the edge as client local.

    A field that the request does not have is refused. Streams are printed as JSON lines.

    \b
      crossrate call GetQuote '{"base": "EUR", "counter": "USD"}'
      crossrate call StreamQuotes '{"instruments": ["EUR/USD"]}' --max 5
      crossrate call GetInstrument '{"base": "EUR", "counter": "USD"}' --as marketdata
      crossrate call GetMeshStatus --local control-1
    """
    from crossrate.cli import calls

    calls.call(
        method,
        request,
        service=service,
        local=local,
        target=target,
        ca=ca,
        client=client,
        timeout_s=timeout_s,
        max_messages=max_messages,
        as_json=as_json,
    )


@app.command(rich_help_panel=EXPLAIN)
def routes(
    live: Annotated[bool, typer.Option("--live", help="The GRPCRoutes in force, from the control plane.")] = False,
    as_json: Json = False,
) -> None:
    """List every method with its REST path."""
    if live:
        from crossrate.cli import operate

        operate.live_routes(as_json=as_json)
    else:
        from crossrate.cli import policies

        policies.routes(as_json=as_json)


@app.command(rich_help_panel=EXPLAIN)
def authz(
    method: Annotated[str, typer.Argument(help="A method; all if left out.", metavar="METHOD")] = "",
    as_json: Json = False,
) -> None:
    """Show who may call what, and why: the contract names callers, the topology connects services.

    crossrate authz SetInstrumentStatus
    """
    from crossrate.cli import policies

    policies.authz(method, as_json=as_json)


@app.command(rich_help_panel=EXPLAIN)
def explain(method: Method, as_json: Json = False) -> None:
    """Show every policy of a method and where each comes from.

    crossrate explain StreamQuotes
    """
    from crossrate.cli import policies

    policies.explain(method, as_json=as_json)


@certs_app.callback()
def certs(context: typer.Context, as_json: Json = False) -> None:
    """Show the certificates in use: identity, serial, age, time left. `crossrate certs rotate` makes new ones."""
    if context.invoked_subcommand is None:
        from crossrate.cli import operate

        operate.certs(as_json=as_json)


@certs_app.command("rotate")
def certs_rotate(
    scope: Annotated[Scope, typer.Argument(help="What is renewed.")] = Scope.workloads,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Renew every workload's certificate, or begin or finish the change to a new root. No call fails meanwhile."""
    from crossrate.cli import operate

    operate.rotate(scope.value, as_json=as_json, dry_run=dry_run)


@config_app.command("get")
def config_get(service: ServiceName, as_json: Json = False) -> None:
    """Show the configuration in force."""
    from crossrate.cli import operate

    operate.get_config(service, as_json=as_json)


@config_app.command("set")
def config_set(
    service: ServiceName,
    values: Annotated[list[str], typer.Argument(help="name=value; the value is JSON or text.", metavar="NAME=VALUE…")],
    comment: Comment = "",
    expect: Annotated[int, typer.Option(min=0, help="Change only if this is the version in force.")] = 0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Change values without a restart. The service checks the whole first; nothing changes if it refuses.

    crossrate config get marketdata
    crossrate config set marketdata NAME=VALUE -m "why"
    """
    from crossrate.cli import operate

    operate.set_config(service, values, comment=comment, expected_version=expect, dry_run=dry_run, as_json=as_json)


@config_app.command("history")
def config_history(service: ServiceName, as_json: Json = False) -> None:
    """Show every version, newest first: values, who, when, why."""
    from crossrate.cli import operate

    operate.config_history(service, as_json=as_json)


@config_app.command("rollback")
def config_rollback(
    service: ServiceName,
    version: Annotated[int, typer.Argument(min=0, help="The version whose values come back; 0: the program's own.")],
    comment: Comment = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put an older version's values back, as a new version."""
    from crossrate.cli import operate

    operate.rollback(service, version, comment=comment, dry_run=dry_run, as_json=as_json)


def _expected(error: BaseException) -> bool:
    """Whether an error is an answer to the person, and not a defect of the program."""
    names = {"CommandError", "CallError", "LoginNeeded", "NodeError", "NotRunning", "AlreadyRunning", "NoMesh"}
    return any(cls.__name__ in names for cls in type(error).__mro__)


def main() -> None:
    """Runs the command line and ends the process."""
    as_json = "--json" in sys.argv
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        if not _expected(error):
            raise
        from crossrate.cli import show

        show.failure(error, as_json=as_json)
        sys.exit(1)
