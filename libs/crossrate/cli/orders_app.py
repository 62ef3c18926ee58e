"""`crossrate orders`: orders of an account, entered, watched, explained."""

from __future__ import annotations

from typing import Annotated

import typer

orders_app = typer.Typer(
    help="""Enter, cancel, watch and explain orders, as a client of the edge (CROSSRATE_CLIENT; default: local).

\b
Begin:
  crossrate orders place alpha buy 100000 EUR/USD --limit 1.08    a limit order, good till cancelled
  crossrate orders place alpha sell 100000 EUR/USD                at the market, at once
  crossrate orders place alpha buy 100000 EUR/USD --check         what would become of it
  crossrate orders list alpha                                     what works
  crossrate orders explain alpha ID                               why it is where it is
  crossrate orders watch alpha                                    execution reports as they come""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Machine output: one JSON document, or JSON lines.")]
Account = Annotated[str, typer.Argument(help="The account.", metavar="ACCOUNT")]
Name = Annotated[str, typer.Argument(help="The order: the client's id or the platform's.", metavar="ID")]


@orders_app.command()
def place(
    account: Account,
    side: Annotated[str, typer.Argument(help="buy or sell: which way it deals the base currency.", metavar="SIDE")],
    quantity: Annotated[str, typer.Argument(help="Units of the base currency.", metavar="QUANTITY")],
    instrument: Annotated[str, typer.Argument(help="EUR/USD.", metavar="INSTRUMENT")],
    limit: Annotated[str, typer.Option("--limit", help="Deals at this price or better.")] = "",
    stop: Annotated[str, typer.Option("--stop", help="Waits until the market has come to this price.")] = "",
    trail: Annotated[str, typer.Option("--trail", help="A stop that follows at this distance, in the price.")] = "",
    tif: Annotated[str, typer.Option("--tif", help="gtc, day, ioc, fok; default: gtc, and ioc at the market.")] = "",
    take_profit: Annotated[str, typer.Option("--take-profit", help="Protects what is filled: a limit order.")] = "",
    stop_loss: Annotated[str, typer.Option("--stop-loss", help="Protects what is filled: a stop.")] = "",
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="Only takes the position towards zero.")] = False,
    post_only: Annotated[bool, typer.Option("--post-only", help="Is refused rather than deal at once.")] = False,
    strategy: Annotated[str, typer.Option("--strategy", help="The strategy that it belongs to.")] = "",
    order_id: Annotated[
        str, typer.Option("--id", help="The client's id; the same id and order is the same order.")
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Only check: what would become of it.")] = False,
    as_json: Json = False,
) -> None:
    """Enter one order; exit 1 if it is refused. What it prints is durable."""
    from crossrate.cli import orders

    terms = orders.Terms(limit, stop, trail, tif, take_profit, stop_loss, reduce_only, post_only, strategy, order_id)
    raise typer.Exit(orders.place(account, side, quantity, instrument, terms, check=check, as_json=as_json))


@orders_app.command()
def cancel(account: Account, name: Name, as_json: Json = False) -> None:
    """Cancel an order by the client's id; ID `all` cancels every order of the account that works."""
    from crossrate.cli import orders

    orders.cancel(account, name, as_json=as_json)


@orders_app.command("list")
def list_(
    account: Account,
    every: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    instrument: Annotated[str, typer.Option("--instrument", help="Only this one.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the orders of an account, the newest first."""
    from crossrate.cli import orders

    orders.list_orders(account, every=every, instrument=instrument, lines=lines, as_json=as_json)


@orders_app.command()
def show(account: Account, name: Name, as_json: Json = False) -> None:
    """Show one order as it stands."""
    from crossrate.cli import orders

    orders.show_order(account, name, as_json=as_json)


@orders_app.command()
def explain(account: Account, name: Name, as_json: Json = False) -> None:
    """Tell why an order is where it is: the quote seen, the checks, the venue's words, the fills."""
    from crossrate.cli import orders

    orders.explain(account, name, as_json=as_json)


@orders_app.command()
def watch(
    account: Account,
    after: Annotated[int, typer.Option("--after", help="Reports after this number; -1 for new ones.")] = -1,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="End after so many; 0 for never.")] = 0,
    as_json: Json = False,
) -> None:
    """Show execution reports as they are committed, until Ctrl-C; a broken stream is resumed without a gap."""
    from crossrate.cli import orders

    orders.watch(account, after=after, count=count, as_json=as_json)
