"""What `crossrate orders` does: calls through the edge as a client of the topology."""

from __future__ import annotations

import time
import uuid
from typing import Any

from crossrate.cli import desk, show
from crossrate.cli.desk import connected, number, word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.client import OrderRejected, new_order

WORKS = frozenset({"NEW", "PARTIALLY_FILLED", "SUSPENDED"})
FINAL = frozenset({"FILLED", "CANCELLED", "REJECTED", "EXPIRED"})
LOOK_S = 0.05


def place(
    account: str,
    instrument: str,
    side: str,
    quantity: str,
    terms: dict[str, Any],
    *,
    wait_s: float,
    dry_run: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Enters an order and waits for what becomes of it."""
    with connected(who) as client:
        if dry_run:
            answer = _rehearsed(client, new_order(account, instrument.upper(), side, quantity, **terms), as_json)
        else:
            answer = client.place(account, instrument.upper(), side, quantity, **terms)
            answer.order.CopyFrom(_settled(client, answer.order, wait_s))
            if word(answer.order, "status") == "REJECTED":
                raise OrderRejected(answer)
        if as_json:
            show.document(as_dict(answer))
            return
        if dry_run:
            desk.checks(answer.checks)
            margin = answer.margin
            if margin.currency:
                used = f"{number(margin.used_before)} → {number(margin.used_after)}"
                show.console().print(f"margin used {used} {margin.currency}, free {number(margin.free_after)}")
            show.console().print("it would be accepted; nothing was entered")
            return
        _tell(answer.order)


def _rehearsed(client: Any, order: Any, as_json: bool) -> Any:
    """What would become of an order, with every check also where one refuses it.

    Raises:
        CommandError: it would be refused.
    """
    asked = {"request_id": str(uuid.uuid4()), "order": order, "validate_only": True}
    answer = client.trading.PlaceOrder(**asked)
    if word(answer.order, "status") == "REJECTED":
        show.document(as_dict(answer)) if as_json else desk.checks(answer.checks)
        details = {"reason": answer.order.reason}
        raise CommandError(f"it would be refused: {answer.order.reason_text}", "nothing was entered", details)
    return answer


def _settled(client: Any, order: Any, wait_s: float) -> Any:
    """The order once a venue has said something of it, or as it is when the time is over."""
    end_s = time.monotonic() + wait_s
    at_once = word(order.terms, "time_in_force") in ("IOC", "FOK")
    while time.monotonic() < end_s:
        status = word(order, "status")
        if status in FINAL or (status in WORKS and not at_once):
            break
        time.sleep(LOOK_S)
        order = client.trading.GetOrder(account=order.terms.account, order=order.order_id).order
    return order


def _tell(order: Any) -> None:
    terms, status = order.terms, word(order, "status")
    good = True if status in ("FILLED", *WORKS) else False if status == "REJECTED" else None
    filled = f", {number(order.cum_quantity)} filled at {order.avg_price}" if order.avg_price else ""
    why = f": {order.reason_text or order.reason}" if order.reason else ""
    line = f"{word(terms, 'side').lower()} {number(terms.quantity)} {terms.instrument}{filled}{why}"
    show.console().print(terms.client_order_id, show.mark(status, good), line, markup=False)


def cancel(account: str, order: str, *, everything: bool, instrument: str, who: str | None, as_json: bool) -> None:
    """Cancels one order or all."""
    if bool(order) == everything:
        raise CommandError("give an order, or --all", "`crossrate orders list --working` shows what works")
    with connected(who) as client:
        done = (
            client.cancel_all(account, instrument=instrument.upper()) if everything else [client.cancel(account, order)]
        )
        if not done:
            client.ledger.GetAccount(account=account)  # "nothing works" is no word on an account that there is not
    if as_json:
        show.document([as_dict(each) for each in done])
    elif not done:
        show.note("nothing works that could be cancelled")
    else:
        for each in done:
            _tell(each)


def amend(account: str, order: str, changes: dict[str, str | None], *, who: str | None, as_json: bool) -> None:
    """Changes an order."""
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        raise CommandError("nothing is to change", "give --quantity, --limit, --stop or --trailing")
    with connected(who) as client:
        amended = client.amend(account, order, **given)
    show.document(as_dict(amended)) if as_json else _tell(amended)


def list_orders(account: str, *, working: bool, instrument: str, lines: int, who: str | None, as_json: bool) -> None:
    """Orders as a table."""
    with connected(who) as client:
        page = client.trading.ListOrders(
            account=account, working=working, instrument=instrument.upper(), page_size=lines
        )
        if not page.orders:
            client.ledger.GetAccount(account=account)
    if as_json:
        show.document([as_dict(order) for order in page.orders])
        return
    if not page.orders:
        show.note(f"{account} has no {'working ' if working else ''}orders")
        return
    rows = [
        (
            desk.moment(order.create_time),
            order.terms.client_order_id,
            order.terms.instrument,
            word(order.terms, "side").lower(),
            number(order.terms.quantity),
            word(order.terms, "order_type").lower(),
            order.terms.limit_price or order.terms.stop_price or order.terms.trailing_distance,
            number(order.cum_quantity),
            order.avg_price,
            word(order, "status"),
            order.reason.lower(),
        )
        for order in page.orders
    ]
    columns = (
        "time",
        "id",
        "instrument",
        "side",
        "quantity ",
        "type",
        "price ",
        "filled ",
        "average ",
        "status",
        "why",
    )
    show.table(columns, rows)
    if page.next_page_token:
        show.note("there are more: -n shows up to 1000")


def show_order(account: str, order: str, *, who: str | None, as_json: bool) -> None:
    """One order."""
    with connected(who) as client:
        found = client.trading.GetOrder(account=account, order=order).order
    if as_json:
        show.document(as_dict(found))
        return
    _tell(found)
    rows = []
    for descriptor, value in [*found.terms.ListFields(), *found.ListFields()]:
        if descriptor.name in ("terms", "status", "proposed", "on_fill"):
            continue
        if descriptor.enum_type is not None:
            value = word(found.terms if descriptor.containing_type.name == "NewOrder" else found, descriptor.name)
        elif descriptor.name.endswith("_date"):
            value = f"{value.year}-{value.month:02}-{value.day:02}"
        elif descriptor.name.endswith("_time"):
            value = value.ToJsonString()
        rows.append((descriptor.name, " ".join(str(value).split())))
    show.table(("field", "value"), rows)


def explain(account: str, order: str, *, who: str | None, as_json: bool) -> None:
    """The chain of causes."""
    with connected(who) as client:
        answer = client.trading.ExplainOrder(account=account, order=order)
    if as_json:
        show.document(as_dict(answer))
        return
    _tell(answer.order)
    rows = [(desk.moment(each.time), each.service, each.text) for each in answer.causes]
    show.table(("time", "says", "what"), rows)
    made = next((each.report.checks for each in answer.causes if each.report.checks), ())
    desk.checks(made)
    for each in answer.missing:
        show.note(f"missing: {each}")


def watch(account: str, after: int | None, count: int, *, who: str | None, as_json: bool) -> None:
    """Reports as they come."""
    with connected(who) as client:
        for seen, report in enumerate(client.stream_executions(account, after=after), 1):
            show.line(as_dict(report)) if as_json else _line(report)
            if seen == count:
                return


def _line(report: Any) -> None:
    order, terms = report.order, report.order.terms
    what = word(report, "exec_type")
    good = {"TRADE": True, "REJECTED": False, "CANCEL_REJECTED": False}.get(what)
    words = f"{word(terms, 'side').lower()} {number(terms.quantity)} {terms.instrument}"
    if report.HasField("fill"):
        words += f", {number(report.fill.quantity)} at {report.fill.price} on {report.fill.venue}"
    if report.text:
        words += f": {report.text}"
    shown = show.console()
    shown.print(
        f"{report.sequence:>6}",
        desk.moment(report.time),
        show.mark(what, good),
        order.terms.client_order_id,
        words,
        markup=False,
    )
