"""Whether rules about business fit the contracts: the fields that they name are there, and can be told by version."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import Any

from google.protobuf import message_factory

from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.rpc.contract import MethodContract, contracts, find_method
from services.control.releases.parts import Business
from services.control.releases.prices import differences, value_at

_REASON = "EXECUTION_REASON_"
DEPTH_MAX = 4
"""Messages within messages that a field's path may lead through."""


def method_of(rule: Business) -> MethodContract:
    """The method whose answers a rule compares.

    Raises:
        LookupError: there is none of that name.
    """
    return find_method(rule.method)


@functools.cache
def with_accounts() -> frozenset[str]:
    """Services some of whose calls have an account by the contract."""
    return frozenset(m.workload for m in contracts().values() if m.sticky_field)


def owner_of(rule: Business, services: Sequence[str]) -> str:
    """Whose rule it is of some services that are released together: whose answers it compares; of orders the first's
    that has accounts. The first one's if it is nobody's."""
    if rule.of_orders:
        return next((service for service in services if service in with_accounts()), services[0])
    try:
        owner = method_of(rule).workload
    except LookupError:
        return services[0]
    return owner if owner in services else services[0]


def problems(
    services: Sequence[str], rules: Collection[Business], sticky_services: Collection[str]
) -> list[tuple[str, str]]:
    """What of the rules of a release of some services cannot be tested, by field; nothing if all can."""
    found = []
    for place, rule in enumerate(rules):
        field, service = f"business[{place}]", owner_of(rule, services)
        if not rule.of_orders:
            found += [(f"{field}.{name}", why) for name, why in _of_prices(service, rule)]
            continue
        if service not in sticky_services:
            why = f"the contract of {service} names no account to tell orders apart by: compare prices instead"
            found.append((f"{field}.metric", why))
        for reason in rule.reasons:
            if _REASON + reason not in execution.ExecutionReason.keys():  # noqa: SIM118
                known = ", ".join(sorted(word.removeprefix(_REASON) for word in execution.ExecutionReason.keys()[1:]))
                found.append((f"{field}.reasons", f"there is no reason {reason!r}; there are: {known}"))
    return found


def _of_prices(service: str, rule: Business) -> list[tuple[str, str]]:
    try:
        method = method_of(rule)
    except LookupError as error:
        return [("method", str(error))]
    if method.workload != service:
        return [("method", f"{rule.method} is a method of {method.workload}, not of {service}")]
    if method.streaming:
        return [("method", f"{rule.method} is a stream: give a method with one answer")]
    answer = message_factory.GetMessageClass(method.output)()
    try:
        _fill(answer)
        differences(Comparator(pip_of), rule, answer, answer)
    except ValueError as error:
        return [("field", str(error))]
    try:
        if rule.same:
            value_at(answer, rule.same)
    except ValueError as error:
        return [("same", str(error))]
    return []


def _fill(answer: Any, depth: int = DEPTH_MAX) -> None:
    """Sets every message that an answer has once, so that paths through them are looked at."""
    for field in answer.DESCRIPTOR.fields:
        if (
            field.message_type is None
            or field.containing_oneof is not None
            or field.message_type.GetOptions().map_entry
        ):
            continue
        inner = getattr(answer, field.name).add() if field.is_repeated else getattr(answer, field.name)
        if not field.is_repeated:
            inner.SetInParent()
        if depth and not field.message_type.full_name.startswith("google."):
            _fill(inner, depth - 1)
