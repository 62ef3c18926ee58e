"""`crossrate breaks`: where a venue's books and ours differ, and what two persons do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from crossrate.cli.options import DryRun, Json, Who

breaks_app = typer.Typer(
    help="""Breaks: where a venue's books and ours differ. One person proposes a correction, another approves it.

\b
  crossrate breaks list                                  what is open, and when each venue was compared
  crossrate breaks show BREAK                            what each book says, and what happened so far
  crossrate breaks propose BREAK -m "told by the desk"   the usual correction; --action for another
  crossrate breaks approve BREAK --client second         somebody else; it is carried out at once
  crossrate breaks run sim --whole                       compares everything now

\b
Actions:
  adopt-fill        the venue's fill is booked here
  reverse-fill      the fill here is taken back
  correct-fill      the fill here becomes what the venue says
  end-order         the order here ends: the venue does not have it
  cancel-at-venue   the order is cancelled at the venue
  adopt-order       the venue's order becomes one of ours
  accept            nothing is booked: the difference is explained""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

BreakId = Annotated[str, typer.Argument(help="The break's id, or `last` for the newest.", metavar="BREAK")]
Venue = Annotated[str, typer.Option("--venue", "-v", help="Only of this venue.")]


@breaks_app.command("list")
def list_breaks(
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones too.")] = False,
    venue: Venue = "",
    instrument: Annotated[str, typer.Option("--instrument", "-i", help="Only of this pair, EUR/USD.")] = "",
    account: Annotated[str, typer.Option("--account", "-a", help="Only of this account.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="How many.")] = 100,
    watch: Annotated[bool, typer.Option("--watch", help="Go on with each change, until interrupted.")] = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """List breaks, those that changed last first, and the newest comparison of each venue."""
    from crossrate.cli import breaks

    if watch:
        breaks.follow(venue, who=client, as_json=as_json)
        return
    which = {"closed": closed, "venue": venue, "instrument": instrument, "account": account, "page_size": lines}
    breaks.listed(which, who=client, as_json=as_json)


@breaks_app.command("show")
def show_break(break_id: BreakId, client: Who = None, as_json: Json = False) -> None:
    """Show a break: what each book says, what can be done, what happened."""
    from crossrate.cli import breaks

    breaks.shown(break_id, who=client, as_json=as_json)


@breaks_app.command()
def propose(
    break_id: BreakId,
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why; kept with it.")],
    action: Annotated[str, typer.Option("--action", help="What is done; else the usual.")] = "",
    price: Annotated[str, typer.Option("--price", help="Of a fill that nobody has told.")] = "",
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Propose a correction. Nothing is done until somebody else approves."""
    from crossrate.cli import breaks

    breaks.propose(break_id, action, price, reason, dry_run=dry_run, who=client, as_json=as_json)


@breaks_app.command()
def approve(
    break_id: BreakId,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Approve what somebody else proposed: --client names the other person."""
    from crossrate.cli import breaks

    breaks.approve(break_id, reject=reject, dry_run=dry_run, who=client, as_json=as_json)


@breaks_app.command()
def run(
    venue: Annotated[str, typer.Argument(help="The venue.", metavar="VENUE")],
    whole: Annotated[bool, typer.Option("--whole", help="Everything from the beginning.")] = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Compare a venue's books now, and answer when that is done."""
    from crossrate.cli import breaks

    breaks.run(venue, whole=whole, who=client, as_json=as_json)
