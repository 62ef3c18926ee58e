"""`crossrate limits`: limits before a trade. One person proposes, another approves."""

from __future__ import annotations

from typing import Annotated

import typer

from crossrate.cli.options import Comment, DryRun, Json, Who

limits_app = typer.Typer(
    help="""Limits before a trade: what each order is checked by. One person proposes, another approves.

\b
  crossrate limits list                                    all that hold
  crossrate limits usage --scope account:alpha             how much of them is used, the fullest first
  crossrate limits propose order-notional 1000000 --unit USD --scope account:alpha -m "new trader"
  crossrate limits propose order-rate 50 --window 1 --scope strategy:carry -m "slower"
  crossrate limits propose position --remove --scope account:alpha -m "as all others"
  crossrate limits approve PROPOSAL --client second        somebody else approves; it holds from the next order on
  crossrate limits history                                 proposals that wait, and every version with who made it

\b
A scope is platform, or desk:NAME, account:NAME, strategy:NAME, instrument:EUR/USD, venue:NAME; a star for the name
holds for each that has none of its own. A value that equals the limit passes.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Scope = Annotated[str, typer.Option("--scope", "-s", help="Only this scope: account:alpha.")]
ProposalId = Annotated[str, typer.Argument(help="The proposal's id, or `last`.", metavar="PROPOSAL")]


@limits_app.command("list")
def list_limits(
    scope: Scope = "",
    version: Annotated[int, typer.Option("--version", help="As they were; 0 for now.", min=0)] = 0,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show the limits that hold, by scope and kind."""
    from crossrate.cli import limits

    limits.list_limits(scope, version, who=client, as_json=as_json)


@limits_app.command()
def usage(
    scope: Scope = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="How many.")] = 40,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show how much of each limit is used by what is held and works, the fullest first."""
    from crossrate.cli import limits

    limits.usage(scope, lines, who=client, as_json=as_json)


@limits_app.command()
def propose(
    kind: Annotated[str, typer.Argument(help="What is compared: order-notional, position, margin …", metavar="KIND")],
    comment: Comment,
    value: Annotated[str, typer.Argument(help="How much; none for instrument and self-trade.", metavar="VALUE")] = "",
    scope: Annotated[str, typer.Option("--scope", "-s", help="Whose.")] = "platform",
    unit: Annotated[str, typer.Option("--unit", "-u", help="ISO 4217 code, for money.")] = "",
    instrument: Annotated[str, typer.Option("--instrument", "-i", help="Only this one: EUR/USD.")] = "",
    window: Annotated[float, typer.Option("--window", help="Seconds, for order-rate and duplicate.", min=0)] = 0,
    floor: Annotated[str, typer.Option("--floor", help="For concentration: not checked below it.")] = "",
    use: Annotated[str, typer.Option("--use", help="For instrument: close-only or restricted.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="The limit goes.")] = False,
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Propose a limit, or that one goes. Nothing changes until somebody else approves; --dry-run tells what it would
    find used now."""
    from crossrate.cli import limits

    asked = limits.Asked(kind, value, scope, unit, instrument, window, floor, use, remove)
    limits.propose(asked, comment, dry_run=dry_run, who=client, as_json=as_json)


@limits_app.command()
def approve(proposal: ProposalId, client: Who = None, as_json: Json = False) -> None:
    """Approve what somebody else proposed: --client names the other person."""
    from crossrate.cli import limits

    limits.approve(proposal, who=client, as_json=as_json)


@limits_app.command()
def withdraw(proposal: ProposalId, client: Who = None, as_json: Json = False) -> None:
    """Withdraw or refuse a proposal."""
    from crossrate.cli import limits

    limits.withdraw(proposal, who=client, as_json=as_json)


@limits_app.command()
def history(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100, help="How many.")] = 20,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show proposals with what became of them, and the versions of the limits, newest first."""
    from crossrate.cli import limits

    limits.history(lines, who=client, as_json=as_json)
