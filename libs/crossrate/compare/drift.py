"""How far the numbers of one field are apart, also within their tolerance, for a test of their mean.

A bias of 0.2 pip in a field that tolerates half a pip is no difference in any call, and a drift over many. Elements are
paired as in a comparison; what has no like is left to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from google.protobuf.message import Message

from crossrate.compare.message import Comparator, by_key, key_text
from crossrate.compare.rules import FieldRule, Kind, Shape


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of both answers.

    Attributes:
        path: where, with keys and places.
        instrument: the pair in whose price it is, by the message, the nearest one around it or the request; may be "".
        difference: the candidate's less stable's, in the number's own unit; NaN if either is not a finite number.
        pips: the same in pips of the instrument; None if its pip is not known.
    """

    path: str
    instrument: str
    difference: float
    pips: float | None


def readings(
    comparator: Comparator, stable: Message, candidate: Message, field: str, instrument: str = ""
) -> list[Reading]:
    """The numbers of one field in both answers.

    Args:
        comparator: has the rules and the pips.
        stable: stable's answer.
        candidate: the candidate's, of the same type.
        field: its path as in Difference.field: "quote.bid", "legs[].valuation.delta", "price[]".
        instrument: the pair that the request names.

    Returns:
        One for each number that both have, in stable's order.

    Raises:
        ValueError: the type has no such field, or it holds no numbers or decimals.
    """
    steps = [step.removesuffix("[]") for step in field.split(".")]
    return list(_walk(comparator, stable, candidate, steps, "", instrument))


def _walk(of: Comparator, a: Message, b: Message, steps: list[str], path: str, instrument: str) -> Iterator[Reading]:
    rules = of.rules(a.DESCRIPTOR, None)
    every = [*rules.fields, *(rule for oneof in rules.oneofs for rule in oneof.fields.values())]
    rule = next((rule for rule in every if rule.name == steps[0]), None)
    if rule is None or rule.shape is Shape.MAP or (rule.kind is Kind.MESSAGE) != (len(steps) > 1):
        raise ValueError(f"{a.DESCRIPTOR.full_name} has no compared number at {'.'.join(steps)!r}")
    if rule.kind is Kind.OTHER:
        raise ValueError(f"{a.DESCRIPTOR.full_name}.{rule.name} is no number")
    if rules.names_instrument and a.instrument:
        instrument = a.instrument
    if rule.shape is Shape.PRESENT and not (a.HasField(rule.name) and b.HasField(rule.name)):
        return
    x, y = getattr(a, rule.name), getattr(b, rule.name)
    pairs = _pairs(rule, x, y, path + rule.name) if rule.shape is Shape.REPEATED else [(path + rule.name, x, y)]
    pip = of.pip(instrument) if instrument else None
    for place, one, other in pairs:
        if rule.kind is Kind.MESSAGE:
            yield from _walk(of, one, other, steps[1:], f"{place}.", instrument)
        else:
            difference = _number(other) - _number(one)
            yield Reading(place, instrument, difference, difference / pip if pip else None)


def _pairs(rule: FieldRule, xs: Sequence, ys: Sequence, path: str) -> Iterator[tuple[str, object, object]]:
    """Elements that both lists have."""
    if rule.key:
        second = dict(by_key(rule, ys))
        for key, x in by_key(rule, xs):
            if key in second:
                yield f"{path}[{key_text(key)}]", x, second[key]
        return
    for place, (x, y) in enumerate(zip(xs, ys, strict=False)):
        yield f"{path}[{place}]", x, y


def _number(value: object) -> float:
    """A number, or a decimal; NaN of a text that is none, and of what is not finite."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except ValueError:
        return float("nan")
    return number if np.isfinite(number) else float("nan")
