"""`crossrate orders`, `crossrate accounts`, `crossrate positions`: what a trader and an operator do with accounts."""

from __future__ import annotations

from typing import Annotated

import typer

from crossrate.cli.options import DryRun, Json, Who

orders_app = typer.Typer(
    help="""Enter orders, change them, and see what becomes of them.

\b
Begin:
  crossrate accounts open alpha --currency USD
  crossrate accounts deposit alpha 1000000 USD
  crossrate orders place alpha buy 100000 EUR/USD                 at the market
  crossrate orders place alpha buy 100000 EUR/USD --limit 1.08    at 1.08 or better, today
  crossrate orders place alpha sell 100000 EUR/USD --stop 1.05 --tif gtc
  crossrate orders place alpha buy 100000 EUR/USD --tenor 1M      a forward, settled in a month
  crossrate orders place alpha sell 100000 EUR/USD --far 1W       a swap: buy spot, sell in a week
  crossrate orders place alpha sell 100000 EUR/USD --far 1W --limit 0.00042   at 4.2 pips of points or better
  crossrate orders watch alpha                                    every report, as it comes
  crossrate orders explain alpha ID                               why an order is where it is

\b
Quantities are units of the base currency, prices units of the counter currency for one of the base currency.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)
accounts_app = typer.Typer(
    help="""Accounts: what trades, holds positions and cash, and has profit and loss.

\b
Begin:
  crossrate accounts open alpha --currency USD --desk spot
  crossrate accounts deposit alpha 1000000 USD
  crossrate accounts show alpha
  crossrate accounts margin                        who is near a margin call
  crossrate accounts levels desk:spot --call 1.2   when a desk's accounts are called
  crossrate accounts allocate block TRADE alpha=600000 beta=400000""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

OrderId = Annotated[str, typer.Argument(help="The order: the client's id or the platform's.", metavar="ORDER")]
Account = Annotated[str, typer.Argument(help="The account.", metavar="ACCOUNT")]


@orders_app.command()
def place(
    account: Account,
    side: Annotated[str, typer.Argument(help="buy or sell the base currency.", metavar="SIDE")],
    quantity: Annotated[str, typer.Argument(help="Units of the base currency.", metavar="QUANTITY")],
    instrument: Annotated[str, typer.Argument(help="EUR/USD", metavar="INSTRUMENT")],
    limit: Annotated[
        str | None, typer.Option("--limit", help="Price, or better; with --far swap points, as 0.00042 or -0.00042.")
    ] = None,
    stop: Annotated[str | None, typer.Option("--stop", help="Price that sets it off.")] = None,
    trailing: Annotated[str | None, typer.Option("--trailing", help="Distance of a trailing stop.")] = None,
    bound: Annotated[str | None, typer.Option("--bound", help="Worst price of a market order.")] = None,
    tif: Annotated[str | None, typer.Option("--tif", help="ioc, fok, day, gtc; ioc at the market, else day.")] = None,
    take_profit: Annotated[str | None, typer.Option("--take-profit", help="Price that takes the profit.")] = None,
    stop_loss: Annotated[str | None, typer.Option("--stop-loss", help="Price that limits the loss.")] = None,
    tenor: Annotated[str, typer.Option("--tenor", help="Settlement: SP, 1W, 3M …; spot if left out.")] = "",
    far: Annotated[str, typer.Option("--far", help="A swap: tenor of its far leg, whose side SIDE is.")] = "",
    strategy: Annotated[str, typer.Option("--strategy", help="Strategy that it belongs to.")] = "",
    venue: Annotated[str, typer.Option("--venue", help="Venue that it must go to.")] = "",
    identity: Annotated[str, typer.Option("--id", help="Your id of it, unique for ever; else one is made.")] = "",
    post_only: Annotated[bool, typer.Option("--post-only", help="Refused rather than deal at once.")] = False,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="Only takes the position to zero.")] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for a fill, a refusal or a venue's word.", min=0, max=3600)
    ] = 5.0,
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Enter one order and wait until it works, is filled or refused; exit 1 if it is refused.

    Without a price it is a market order; --limit, --stop, both, or --trailing make the other types. --dry-run shows
    every check with its limit and headroom, and the margin. The same --id and terms enter an order once.
    """
    from crossrate.cli import orders

    terms = {
        "limit_price": limit,
        "stop_price": stop,
        "trailing_distance": trailing,
        "price_bound": bound,
        "time_in_force": tif,
        "take_profit_price": take_profit,
        "stop_loss_price": stop_loss,
        "tenor": tenor,
        "far_tenor": far,
        "strategy": strategy,
        "venue": venue,
        "client_order_id": identity,
        "post_only": post_only,
        "reduce_only": reduce_only,
    }
    orders.place(
        account, instrument, side, quantity, terms, wait_s=wait_s, dry_run=dry_run, who=client, as_json=as_json
    )


@orders_app.command()
def cancel(
    account: Account,
    order: Annotated[str, typer.Argument(help="The client's id; left out with --all.", metavar="ORDER")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every working order of the account.")] = False,
    instrument: Annotated[str, typer.Option("--instrument", help="With --all: only this instrument.")] = "",
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Cancel an order, or all of an account. Cancels are never checked by risk and pass the kill switch."""
    from crossrate.cli import orders

    orders.cancel(account, order, everything=everything, instrument=instrument, who=client, as_json=as_json)


@orders_app.command()
def amend(
    account: Account,
    order: Annotated[str, typer.Argument(help="The client's id.", metavar="ORDER")],
    quantity: Annotated[str | None, typer.Option("--quantity", help="Whole, with what has been filled.")] = None,
    limit: Annotated[str | None, typer.Option("--limit", help="The new limit price, of a swap the points.")] = None,
    stop: Annotated[str | None, typer.Option("--stop", help="The new price that sets it off.")] = None,
    trailing: Annotated[str | None, typer.Option("--trailing", help="The new distance.")] = None,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Change quantity or prices of a working order. What has been filled meanwhile counts."""
    from crossrate.cli import orders

    changes = {"quantity": quantity, "limit_price": limit, "stop_price": stop, "trailing_distance": trailing}
    orders.amend(account, order, changes, who=client, as_json=as_json)


@orders_app.command("list")
def list_orders(
    account: Account,
    working: Annotated[bool, typer.Option("--working", "-w", help="Only those that still work.")] = False,
    instrument: Annotated[str, typer.Option("--instrument", help="Only this instrument.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=1000, help="How many.")] = 20,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show orders of an account, the newest first."""
    from crossrate.cli import orders

    orders.list_orders(account, working=working, instrument=instrument, lines=lines, who=client, as_json=as_json)


@orders_app.command("show")
def show_order(account: Account, order: OrderId, client: Who = None, as_json: Json = False) -> None:
    """Show one order: terms, status, fills, dates."""
    from crossrate.cli import orders

    orders.show_order(account, order, who=client, as_json=as_json)


@orders_app.command()
def explain(account: Account, order: OrderId, client: Who = None, as_json: Json = False) -> None:
    """Show why an order is where it is: the quote, each check, the venue's words, fills, postings, in order."""
    from crossrate.cli import orders

    orders.explain(account, order, who=client, as_json=as_json)


@orders_app.command()
def watch(
    account: Account,
    after: Annotated[
        int | None, typer.Option("--after", help="Reports after this number; 0 for all. Else from now on.", min=0)
    ] = None,
    count: Annotated[int, typer.Option("--lines", "-n", help="End after so many; 0 for no end.", min=0)] = 0,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show execution reports as they are committed, without a gap, until Ctrl-C; --json gives JSON lines."""
    from crossrate.cli import orders

    orders.watch(account, after, count, who=client, as_json=as_json)


@accounts_app.command("open")
def open_account(
    account: Account,
    currency: Annotated[str, typer.Option("--currency", "-c", help="In which equity and profit are told.")] = "USD",
    desk: Annotated[str, typer.Option("--desk", help="The desk that it belongs to.")] = "spot",
    hedging: Annotated[bool, typer.Option("--hedging", help="A position for each opening order, no netting.")] = False,
    average: Annotated[bool, typer.Option("--average-cost", help="Realise against the average, not FIFO.")] = False,
    margin_rate: Annotated[str, typer.Option("--margin-rate", help="0.05 for a leverage of 20.")] = "0.05",
    name: Annotated[str, typer.Option("--name", help="For people.")] = "",
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Open an account. The same terms again change nothing."""
    from crossrate.cli import accounts

    terms = {"currency": currency, "desk": desk, "margin_rate": margin_rate, "display_name": name}
    accounts.open_account(
        account, terms, hedging=hedging, average=average, dry_run=dry_run, who=client, as_json=as_json
    )


@accounts_app.command("list")
def list_accounts(
    desk: Annotated[str, typer.Option("--desk", help="Only this desk.")] = "", client: Who = None, as_json: Json = False
) -> None:
    """Show accounts by name."""
    from crossrate.cli import accounts

    accounts.list_accounts(desk, who=client, as_json=as_json)


@accounts_app.command("show")
def show_account(account: Account, client: Who = None, as_json: Json = False) -> None:
    """Show an account: terms, cash, equity, margin, profit and loss."""
    from crossrate.cli import accounts

    accounts.show_account(account, who=client, as_json=as_json)


@accounts_app.command()
def deposit(
    account: Account,
    amount: Annotated[str, typer.Argument(help="Above zero.", metavar="AMOUNT")],
    currency: Annotated[str, typer.Argument(help="ISO 4217 code.", metavar="CURRENCY")],
    text: Annotated[str, typer.Option("--text", "-m", help="The payment's reference.")] = "",
    identity: Annotated[str, typer.Option("--id", help="A UUID: the same one is booked once.")] = "",
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Book money that came in."""
    from crossrate.cli import accounts

    accounts.move(
        "Deposit", account, amount, currency, text, identity=identity, dry_run=dry_run, who=client, as_json=as_json
    )


@accounts_app.command()
def withdraw(
    account: Account,
    amount: Annotated[str, typer.Argument(help="Above zero.", metavar="AMOUNT")],
    currency: Annotated[str, typer.Argument(help="ISO 4217 code.", metavar="CURRENCY")],
    text: Annotated[str, typer.Option("--text", "-m", help="The payment's reference.")] = "",
    identity: Annotated[str, typer.Option("--id", help="A UUID: the same one is booked once.")] = "",
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Book money that goes out; refused beyond settled cash and free margin."""
    from crossrate.cli import accounts

    accounts.move(
        "Withdraw", account, amount, currency, text, identity=identity, dry_run=dry_run, who=client, as_json=as_json
    )


def positions(
    account: Annotated[str, typer.Argument(help="Only this account; else all.", metavar="ACCOUNT")] = "",
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Show open positions: quantity, average price, mark and profit, by account and instrument."""
    from crossrate.cli import accounts

    accounts.positions(account, who=client, as_json=as_json)
