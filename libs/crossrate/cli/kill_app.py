"""`crossrate kill`: the kill switch. One person stops, two let go on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from crossrate.cli.lease_app import lease_app
from crossrate.cli.options import Comment, DryRun, Json, Who

kill_app = typer.Typer(
    help="""The kill switch: one person stops, two let go on. Cancels and reductions pass in every mode.

\b
  crossrate kill engage halt --scope account:alpha -m "runaway strategy"
  crossrate kill status                                   what is stopped, and which resumptions wait
  crossrate kill certificates KILL                        every order that worked then, and how it ended
  crossrate kill resume KILL -m "strategy fixed"          proposes that it ends
  crossrate kill approve PROPOSAL --client second         somebody else lets go on
  crossrate kill lease hold halt --scope account:alpha    stops by itself when this process is heard no more

\b
Modes, each with all that those before it stop:
  cancel-only   nothing new that could increase a position; what works stays
  reduce-only   what works and could increase a position is cancelled as well
  halt          everything that works is cancelled
  flatten       positions are closed, in slices within a price bound
A scope is platform, or desk:NAME, account:NAME, strategy:NAME, instrument:EUR/USD, venue:NAME,
market:EUR/USD@VENUE.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

kill_app.add_typer(lease_app, name="lease")

KillId = Annotated[str, typer.Argument(help="The kill's id, or `last` for the newest.", metavar="KILL")]


class Mode(StrEnum):
    """How much a kill stops."""

    cancel_only = "cancel-only"
    reduce_only = "reduce-only"
    halt = "halt"
    flatten = "flatten"


@kill_app.command()
def engage(
    mode: Annotated[Mode, typer.Argument(help="How much.", metavar="MODE")],
    comment: Comment,
    scope: Annotated[str, typer.Option("--scope", "-s", help="What it reaches.")] = "platform",
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Stop a scope at once. When it answers, nothing that the mode refuses is accepted any more."""
    from crossrate.cli import kill

    kill.engage(mode.value, scope, comment, dry_run=dry_run, who=client, as_json=as_json)


@kill_app.command()
def status(client: Who = None, as_json: Json = False) -> None:
    """Show what is stopped, resumptions that wait for approval, and dead-man leases."""
    from crossrate.cli import kill

    kill.status(who=client, as_json=as_json)


@kill_app.command()
def resume(kill_id: KillId, comment: Comment, client: Who = None, as_json: Json = False) -> None:
    """Propose that a kill ends. Nothing changes until somebody else approves."""
    from crossrate.cli import kill

    kill.resume(kill_id, comment, who=client, as_json=as_json)


@kill_app.command()
def approve(
    proposal: Annotated[str, typer.Argument(help="The proposal's id, or `last`.", metavar="PROPOSAL")],
    client: Who = None,
    as_json: Json = False,
) -> None:
    """End a kill that somebody else proposed to end: --client names the other person."""
    from crossrate.cli import kill

    kill.approve(proposal, who=client, as_json=as_json)


@kill_app.command()
def certificates(
    kill_id: Annotated[str, typer.Argument(help="One kill with its orders; else all.", metavar="KILL")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100, help="How many.")] = 20,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show certificates: every order that worked when the kill was committed, and how it ended."""
    from crossrate.cli import kill

    kill.certificates(kill_id, lines, who=client, as_json=as_json)
