"""What the commands of a desk share: the client, words of the contract's enums, checks as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from crossrate.cli import reach, show
from crossrate.cli.show import CommandError
from crossrate.client import Client, OrderRejected, OutcomeUnknown


@contextmanager
def connected(who: str | None) -> Iterator[Client]:
    """The platform as a client of the topology; None for who is logged in, else "local". A refusal is an error with a
    remedy."""
    source = reach.logged_in(who)
    try:
        with Client(client=who) if source is None else Client(token=source) as client:
            yield client
    except OrderRejected as error:
        checks = [{"kind": word(check, "kind"), "scope": check.scope, "text": check.text} for check in error.checks]
        details = {"reason": error.reason, "order": error.order.terms.client_order_id, "checks": checks}
        terms = error.order.terms
        remedy = f"`crossrate orders explain {terms.account} {terms.client_order_id}` shows every check"
        raise CommandError(str(error), remedy, details) from None
    except OutcomeUnknown as error:
        remedy = f"repeat the command with --id {error.client_order_id}"
        raise CommandError(str(error), remedy, {"reason": "OUTCOME_UNKNOWN"}) from None
    except (TypeError, ValueError) as error:
        raise CommandError(str(error), "see --help for what each argument takes") from None


def word(message: Any, field: str) -> str:
    """An enum's value without its prefix: "PARTIALLY_FILLED" of ORDER_STATUS_PARTIALLY_FILLED."""
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(getattr(message, field))
    if value is None:
        return str(getattr(message, field))
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return value.name.removeprefix(prefix)


def number(text: str) -> str:
    """A decimal for people, with its thousands apart; empty stays empty."""
    if not text:
        return ""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, dot, places = digits.partition(".")
    return f"{sign}{int(whole):,}{dot}{places}"


def moment(stamp: Any) -> str:
    """A timestamp's time of day, UTC, to the millisecond."""
    return stamp.ToDatetime().strftime("%H:%M:%S.%f")[:-3] if stamp.seconds else ""


def checks(made: Iterable[Any]) -> None:
    """Every check with its limit and headroom, failed ones first."""
    rows = []
    for each in made:
        numbers = [number(text) for text in (each.value, each.limit, each.headroom)]
        passed = show.mark("ok" if each.passed else "FAILED", each.passed)
        rows.append((passed, word(each, "kind").lower(), each.scope, *numbers, each.unit, each.text))
    if rows:
        show.table(("check", "of", "whose", "value ", "limit ", "headroom ", "unit", ""), rows)
