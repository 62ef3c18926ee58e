"""What `crossrate accounts` and `crossrate positions` do."""

from __future__ import annotations

import uuid
from typing import Any

from crossrate.cli import show
from crossrate.cli.desk import connected, number, word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.client import CallError, Client

PAGE = 1000


def open_account(
    name: str,
    terms: dict[str, str],
    *,
    hedging: bool,
    average: bool,
    dry_run: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Opens an account."""
    from crossrate.api.ledger.v1 import account_pb2 as pb

    account = pb.Account(
        account=name,
        status=pb.ACCOUNT_STATUS_ACTIVE,
        position_mode=pb.POSITION_MODE_HEDGING if hedging else pb.POSITION_MODE_NETTING,
        cost_method=pb.COST_METHOD_AVERAGE if average else pb.COST_METHOD_FIFO,
        **terms,
    )
    with connected(who) as client:
        opened = client.ledger.OpenAccount(request_id=str(uuid.uuid4()), account=account, validate_only=dry_run)
    if as_json:
        show.document(as_dict(opened.account))
    else:
        show.console().print(f"{name} {'could be' if dry_run else 'is'} open", markup=False)


def every_account(client: Client, desk: str = "") -> list[Any]:
    """All accounts, page by page."""
    return list(client.ledger.ListAccounts.items(desk=desk, page_size=PAGE))


def list_accounts(desk: str, *, who: str | None, as_json: bool) -> None:
    """Accounts as a table."""
    with connected(who) as client:
        found = every_account(client, desk)
        margins = _margins(client, [each.account for each in found])
    if as_json:
        rows = [(as_dict(account), margins.get(account.account)) for account in found]
        show.document([told | ({"margin": as_dict(margin)} if margin is not None else {}) for told, margin in rows])
        return
    if not found:
        show.note("there are no accounts: `crossrate accounts open NAME` opens one")
        return
    rows = [
        (
            each.account,
            each.desk,
            each.currency,
            word(each, "position_mode").lower(),
            word(each, "cost_method").lower(),
            each.margin_rate,
            word(each, "status"),
            *_margin_cells(margins.get(each.account)),
            each.display_name,
        )
        for each in found
    ]
    columns = ("account", "desk", "currency", "positions", "cost", "margin rate ", "status")
    show.table((*columns, "equity ", "margin used ", "free ", "margin", "name"), rows)


def _margins(client: Client, names: list[str]) -> dict[str, Any]:
    """Equity and margin by account; none where the caller may not see all accounts."""
    found: dict[str, Any] = {}
    for at in range(0, len(names), PAGE):
        try:
            page = client.ledger.ListEquity(accounts=names[at : at + PAGE], include_margin=True)
        except CallError as error:
            if error.code().name == "PERMISSION_DENIED":
                return {}
            raise
        found |= {each.account: each.margin for each in page.equities}
    return found


def _margin_cells(margin: Any) -> tuple[Any, ...]:
    if margin is None:
        return ("", "", "", "")
    state = word(margin, "state")
    good = True if state == "OK" else None if state == "UNKNOWN" else False
    return (number(margin.equity), number(margin.used), number(margin.free), show.mark(state, good))


def show_account(name: str, *, who: str | None, as_json: bool) -> None:
    """An account with what it has and earned."""
    with connected(who) as client:
        account = client.ledger.GetAccount(account=name).account
        balances = client.ledger.GetBalances(account=name).balances
        profit = client.ledger.GetProfitAndLoss(account=name)
    if as_json:
        show.document({"account": as_dict(account), "balances": as_dict(balances), "profitAndLoss": as_dict(profit)})
        return
    head = f"{account.account}, desk {account.desk}, {word(account, 'status')}, margin rate {account.margin_rate}"
    show.console().print(head, markup=False)
    cash = [(each.currency, _date(each.value_date) or "settled", number(each.amount)) for each in balances.cash]
    show.table(("cash", "value date", "amount "), cash)
    state = word(balances, "margin_state")
    good = True if state == "OK" else None if state == "UNKNOWN" else False
    told = [(label, number(getattr(balances, field))) for field, label in _BALANCES]
    show.table((f"in {balances.currency}", "amount "), [*told, ("margin", show.mark(state, good))])
    rows = [
        (label, *(number(getattr(each, field)) for field in _PROFIT))
        for label, each in [
            *((p.currency, p) for p in profit.by_currency),
            (f"all in {balances.currency}", profit.total),
        ]
    ]
    show.table(("profit", *(f"{field} " for field in _PROFIT)), rows)
    for each in (*balances.unvalued, *([balances.fault] if balances.fault else [])):
        show.note(f"not valued: {each}")


_BALANCES = (
    ("cash_value", "cash"),
    ("unrealised", "unrealised profit"),
    ("equity", "equity"),
    ("margin_used", "margin used"),
    ("margin_free", "margin free"),
)
_PROFIT = ("realised", "unrealised", "commission", "financing", "adjustment", "net")


def _date(date: Any) -> str:
    return f"{date.year}-{date.month:02}-{date.day:02}" if date.year else ""


def move(
    method: str,
    account: str,
    amount: str,
    currency: str,
    text: str,
    *,
    identity: str,
    dry_run: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Books money in or out."""
    from crossrate.client.order_form import decimal
    from crossrate.client.trading import uncertain

    with connected(who) as client:
        plain, identity = decimal(amount, "amount"), identity or str(uuid.uuid4())
        try:
            answer = getattr(client.ledger, method)(
                request_id=identity,
                account=account,
                amount=plain,
                currency=currency.upper(),
                text=text,
                validate_only=dry_run,
            )
        except CallError as error:
            if dry_run or not uncertain(error):
                raise
            remedy = f"repeat the command with --id {identity}: it is booked once"
            raise CommandError(
                f"whether it was booked is not known: {error.message}", remedy, {"reason": "OUTCOME_UNKNOWN"}
            ) from None
    if as_json:
        show.document(as_dict(answer.entry))
        return
    way = "in" if method == "Deposit" else "out"
    done = "could be booked" if dry_run else f"is entry {answer.entry.sequence}"
    show.console().print(f"{number(plain)} {currency.upper()} {way}: {done}", markup=False)


def positions(name: str, *, who: str | None, as_json: bool) -> None:
    """Open positions of one account or all."""
    with connected(who) as client:
        names = [name] if name else [each.account for each in every_account(client)]
        held = {each: client.ledger.ListPositions(account=each).positions for each in names}
    if as_json:
        show.document({account: [as_dict(each) for each in rows] for account, rows in held.items()})
        return
    rows = [
        (
            account,
            each.instrument,
            number(each.quantity),
            each.average_price,
            f"{each.mark.bid} / {each.mark.ask}" if each.mark.bid else "no price",
            number(each.unrealised_counter),
            number(each.unrealised),
        )
        for account, listed in held.items()
        for each in listed
    ]
    if not rows:
        show.note("there are no open positions")
        return
    columns = ("account", "instrument", "quantity ", "average ", "mark", "profit, counter ", "profit, account ")
    show.table(columns, rows)
