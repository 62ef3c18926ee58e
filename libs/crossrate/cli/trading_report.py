"""A day's report: orders, fills, positions, cash, profit by account and currency, value at risk, breaks, the proof."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import execution_pb2
from crossrate.cli import show
from crossrate.cli.desk import number, word
from crossrate.cli.requests import as_dict
from crossrate.cli.trading_day import Report

PROFIT = ("realised", "unrealised", "commission", "financing", "net")


def tables(report: Report) -> None:
    """Prints the report."""
    rows = [_counts(account, report.executions.get(account, [])) for account in report.accounts]
    show.table(("account", "orders ", "filled ", "cancelled ", "rejected ", "working ", "fills "), rows)
    _positions(report)
    _profits(report)
    for text in report.rejected:
        show.console().print("refused:", text, markup=False)
    if report.certificate is not None:
        kill = report.certificate
        took_s = _seconds(kill.complete_time) - _seconds(kill.kill.engage_time)
        words = (
            f"{kill.kill.scope.kind}:{kill.kill.scope.name} at HALT, {len(kill.orders)} orders ended in {took_s:.2f} s"
        )
        show.console().print(f"certificate {kill.certificate_id}: {words}", markup=False)
    risk = ", ".join(f"{when} {number(str(value))}" for when, value in report.value_at_risk.items())
    show.console().print(f"value at risk, one day at 99 percent, USD: {risk or 'not calculated'}")
    financing = ", ".join(f"{currency} {number(amount)}" for currency, amount in report.financing.items())
    show.console().print(f"financing of the night: {financing or 'none'}")
    for run in report.runs:
        words = f"{run.orders} orders, {run.fills} fills of ours, {run.copied_fills} of its drop copy"
        missing = f"; not compared: {'; '.join(run.missing)}" if run.missing else ""
        show.console().print(f"compared with {run.venue}: {words}{missing}", markup=False)
    show.console().print(f"breaks between venues, fills and books: {'; '.join(report.breaks) or 'none'}", markup=False)
    if report.proof is not None:
        proof = report.proof
        said = "differ: " + "; ".join(proof.differences) if proof.differences else "balance"
        words = f"{proof.entries:,} entries, {proof.postings:,} postings, {proof.books} books; journal"
        show.console().print(f"the books {said}: {words} {proof.journal_digest}\n", markup=False)


def document(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "accounts": {
            account: {
                "orders": _states(report.executions.get(account, [])),
                "fills": [
                    as_dict(each.fill)
                    | {"instrument": each.order.terms.instrument, "side": word(each.order.terms, "side")}
                    for each in report.executions.get(account, [])
                    if each.exec_type == execution_pb2.EXEC_TYPE_TRADE
                ],
                "positions": [as_dict(each) for each in report.positions.get(account, [])],
                "balances": as_dict(report.balances[account]) if account in report.balances else None,
                "profitAndLoss": as_dict(report.profits[account]) if account in report.profits else None,
            }
            for account in report.accounts
        },
        "rejected": report.rejected,
        "valueAtRisk": {when: str(value) for when, value in report.value_at_risk.items()},
        "financing": report.financing,
        "certificate": as_dict(report.certificate) if report.certificate is not None else None,
        "breaks": report.breaks,
        "reconciliations": [as_dict(each) for each in report.runs],
        "proof": as_dict(report.proof) if report.proof is not None else None,
    }


def _states(reports: list[Any]) -> dict[str, int]:
    """How many orders stand where, by the last report of each."""
    last = {each.order.order_id: word(each.order, "status") for each in reports}
    return dict(Counter(last.values()))


def _counts(account: str, reports: list[Any]) -> tuple[str, ...]:
    states = _states(reports)
    known = [states.get(name, 0) for name in ("FILLED", "CANCELLED", "REJECTED")]
    fills = sum(each.exec_type == execution_pb2.EXEC_TYPE_TRADE for each in reports)
    total = sum(states.values())
    return account, *(str(count) for count in (total, *known, total - sum(known), fills))


def _positions(report: Report) -> None:
    rows = []
    for account, listed in report.positions.items():
        for each in listed:
            mark = f"{each.mark.bid} / {each.mark.ask}" if each.mark.bid else "no price"
            currency = report.balances[account].currency if account in report.balances else ""
            profit = f"{number(each.unrealised)} {currency}"
            rows.append((account, each.instrument, number(each.quantity), each.average_price, mark, profit))
    if rows:
        show.table(("account", "position", "quantity ", "average ", "mark", "profit "), rows)


def _profits(report: Report) -> None:
    rows = []
    for account, balances in report.balances.items():
        cash = _cash(balances)
        profit = report.profits[account]
        for each in profit.by_currency:
            told = (number(getattr(each, name)) for name in PROFIT)
            rows.append((account, each.currency, number(cash.pop(each.currency, "")), *told, ""))
        rows.extend((account, currency, number(amount), *[""] * len(PROFIT), "") for currency, amount in cash.items())
        total = (number(getattr(profit.total, name)) for name in PROFIT)
        rows.append(("", f"all in {balances.currency}", number(balances.cash_value), *total, number(balances.equity)))
    if rows:
        show.table(("account", "currency", "cash ", *(f"{name} " for name in PROFIT), "equity "), rows)


def _cash(balances: Any) -> dict[str, str]:
    """Cash by currency over all value dates."""
    sums: dict[str, Decimal] = {}
    for each in balances.cash:
        sums[each.currency] = sums.get(each.currency, Decimal(0)) + Decimal(each.amount)
    return {currency: format(amount, "f") for currency, amount in sums.items()}


def _seconds(stamp: Any) -> float:
    return stamp.seconds + stamp.nanos / 1e9
