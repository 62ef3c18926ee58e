"""What `crossrate accounts margin`, `levels`, `close-outs` and `allocate` do."""

from __future__ import annotations

import uuid
from typing import Any

from crossrate.cli import show
from crossrate.cli.desk import connected, moment, number, word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError


def margin(account: str, *, called: bool, who: str | None, as_json: bool) -> None:
    """How accounts stand to their margin, by risk."""
    with connected(who) as client:
        if account:
            found = [client.risk.GetMarginStanding(account=account).standing]
        else:
            found = list(client.risk.ListMarginStandings(called=called, page_size=1000).standings)
    if as_json:
        show.document([as_dict(each) for each in found])
        return
    if not found:
        show.note("no account is called" if called else "no account holds anything")
        return
    rows = [
        (
            each.account,
            each.currency,
            number(each.equity),
            number(each.margin_used),
            number(each.margin_free),
            each.level,
            f"{each.call_level} / {each.close_out_level}",
            show.mark(state := word(each, "state"), state == "OK"),
            moment(each.since_time),
            each.unknown or each.close_out_id,
        )
        for each in found
    ]
    columns = ("account", "", "equity ", "used ", "free ", "level ", "call / close-out", "state", "since", "")
    show.table(columns, rows)
    if any(each.close_out_id for each in found):
        show.note("`crossrate accounts close-outs ID` shows what is being closed")


def close_outs(which: str, *, who: str | None, as_json: bool) -> None:
    """Close-outs of an account or all, or one of them with its steps."""
    with connected(who) as client:
        one = which.count("-") == 4 and len(which) == 36
        if one:
            found = [client.risk.GetCloseOut(close_out_id=which).close_out]
        else:
            found = list(client.risk.ListCloseOuts(account=which, page_size=100).close_outs)
    if as_json:
        show.document([as_dict(each) for each in found])
        return
    if not found:
        show.note("nothing was ever closed out")
        return
    rows = [
        (
            each.close_out_id,
            each.account,
            moment(each.begin_time),
            each.begun.level,
            moment(each.end_time) or show.mark("under way", None),
            each.end_text,
        )
        for each in found
    ]
    show.table(("close-out", "account", "begun", "level ", "ended", ""), rows)
    if one:
        steps = [(moment(s.time), s.instrument, s.quantity, s.price_bound, s.outcome) for s in found[0].steps]
        show.table(("at", "closing", "quantity ", "bound ", "outcome"), steps)


def levels(whose: str, call: str, close_out: str, *, dry_run: bool, who: str | None, as_json: bool) -> None:
    """Shows or sets margin levels of an account, or of a desk ("desk:spot")."""
    given = {name: text for name, text in (("call", call), ("close_out", close_out)) if text}
    with connected(who) as client:
        if whose.startswith("desk:"):
            changed = _desk(client, whose.removeprefix("desk:"), given, dry_run)
        else:
            changed = _account(client, whose, given, dry_run)
        equity = None
        if not whose.startswith("desk:") and not dry_run:
            equity = client.ledger.ListEquity(accounts=[whose]).equities[0]
    if as_json:
        show.document(as_dict(changed))
        return
    held = equity.margin_levels if equity is not None else changed
    told = f"call {held.call or 'as the platform'}, close-out {held.close_out or 'as the platform'}"
    show.console().print(f"{whose}: {told}{' could be set' if dry_run and given else ''}", markup=False)


def _desk(client: Any, desk: str, given: dict[str, str], dry_run: bool) -> Any:
    known = {each.desk: each for each in client.ledger.ListDeskMargins().desk_margins}
    version = known[desk].version if desk in known else 0
    levels = _merged(known[desk].levels if desk in known else None, given)
    if not given:
        return levels
    answer = client.ledger.SetDeskMargin(
        request_id=str(uuid.uuid4()),
        desk_margin={"desk": desk, "levels": levels, "version": version},
        validate_only=dry_run,
    )
    return answer.desk_margin.levels


def _account(client: Any, name: str, given: dict[str, str], dry_run: bool) -> Any:
    account = client.ledger.GetAccount(account=name).account
    levels = _merged(account.margin_levels, given)
    if not given:
        return levels
    account.margin_levels.CopyFrom(levels)
    account.ClearField("create_time")
    answer = client.ledger.ChangeAccount(request_id=str(uuid.uuid4()), account=account, validate_only=dry_run)
    return answer.account.margin_levels


def _merged(held: Any, given: dict[str, str]) -> Any:
    from crossrate.api.ledger.v1 import account_pb2

    made = account_pb2.MarginLevels()
    if held is not None:
        made.CopyFrom(held)
    for name, text in given.items():
        setattr(made, name, "" if text == "none" else text)
    return made


def allocate(
    account: str, trade: str, shares: list[str], *, identity: str, dry_run: bool, who: str | None, as_json: bool
) -> None:
    """Gives shares of a block trade to accounts."""
    from crossrate.client.order_form import decimal

    wanted = []
    for each in shares:
        name, equals, quantity = each.partition("=")
        if not equals or not name or not quantity:
            raise CommandError(f"{each!r} is no share", "give ACCOUNT=QUANTITY, as beta=1000000", {"field": "shares"})
        wanted.append({"account": name, "quantity": decimal(quantity.replace(",", ""), "quantity")})
    with connected(who) as client:
        answer = client.ledger.AllocateBlock(
            request_id=identity or str(uuid.uuid4()),
            account=account,
            trade_id=trade,
            shares=wanted,
            validate_only=dry_run,
        )
    if as_json:
        show.document(as_dict(answer))
        return
    rows = [
        (entry.account, entry.trade.instrument, number(deal.quantity), deal.price, str(entry.sequence or ""))
        for entry in answer.entries
        for deal in entry.trade.deals
    ]
    show.table(("account", "instrument", "quantity ", "price ", "entry "), rows)
    left = f"{number(answer.unallocated)} of the block are not allocated"
    show.console().print(f"{left}{'; nothing was booked' if dry_run else ''}", markup=False)
