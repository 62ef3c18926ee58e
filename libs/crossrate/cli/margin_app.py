"""`crossrate accounts margin`, `levels`, `close-outs`, `allocate`."""

from __future__ import annotations

from typing import Annotated

import typer

from crossrate.cli.options import DryRun, Json, Who
from crossrate.cli.orders_app import Account


def margin(
    account: Annotated[str, typer.Argument(help="Only this account; else all.", metavar="ACCOUNT")] = "",
    called: Annotated[bool, typer.Option("--called", help="Only those called or closed out.")] = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show how accounts stand to their margin, the lowest level first, and what was decided about it."""
    from crossrate.cli import margin as does

    does.margin(account, called=called, who=client, as_json=as_json)


def close_outs(
    which: Annotated[str, typer.Argument(help="An account, or a close-out's id; else all.", metavar="WHICH")] = "",
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show positions that were closed because margin did not suffice; of one close-out each step."""
    from crossrate.cli import margin as does

    does.close_outs(which, who=client, as_json=as_json)


def levels(
    whose: Annotated[str, typer.Argument(help="An account, or desk:NAME.", metavar="WHOSE")],
    call: Annotated[str, typer.Option("--call", help="Equity over margin used, as 1.2; none for the desk's.")] = "",
    close_out: Annotated[str, typer.Option("--close-out", help="Likewise, as 0.5; 0 never closes.")] = "",
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show or set at which levels of margin an account or a desk is called and closed out."""
    from crossrate.cli import margin as does

    does.levels(whose, call, close_out, dry_run=dry_run, who=client, as_json=as_json)


def allocate(
    account: Account,
    trade: Annotated[str, typer.Argument(help="The block: id of its fill at the venue.", metavar="TRADE")],
    shares: Annotated[list[str], typer.Argument(help="ACCOUNT=QUANTITY, as beta=1000000.", metavar="SHARE...")],
    identity: Annotated[str, typer.Option("--id", help="A UUID: the same one is booked once.")] = "",
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Give shares of a block trade to accounts, all at its price and value date, or none.

    `crossrate orders explain ACCOUNT ORDER` names a fill's id at its venue.
    """
    from crossrate.cli import margin as does

    does.allocate(account, trade, shares, identity=identity, dry_run=dry_run, who=client, as_json=as_json)
