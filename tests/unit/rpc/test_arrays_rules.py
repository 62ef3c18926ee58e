"""Rules on the elements of arrays, decided for the whole array, against protovalidate, which looks at every element."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import patch

import numpy as np
import protovalidate
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from buf.validate import validate_pb2
from crossrate.rpc import validation
from crossrate.rpc.element_rules import ElementRules
from crossrate.rpc.errors import Failure
from crossrate.rpc.validation import Known, Validation
from crossrate.rpc.violations import violation_of
from tests.array_contract import kind

DECIDED = {"spot", "strike", "weight", "shift", "lot", "moved", "rate", "time_ns"}
"""The fields of the contract whose rules are decided for the whole array."""
ELEMENT = re.compile(r"^(.*?)(\w+)\[(\d+)\]$")

Found = set[tuple[str, str, str]]


def violations(request: Any, *, raw: bool, small_bytes_max: int = 0) -> Found:
    """What the check finds, with or without the request's bytes at hand; no request counts as small unless said so."""
    check = Validation().check(request.DESCRIPTOR)
    assert check is not None
    try:
        with patch.object(validation, "SMALL_BYTES_MAX", small_bytes_max):
            check(request, request.SerializeToString()) if raw else check(request)
    except Failure as failure:
        return {(v.field, v.rule, v.description) for v in failure.violations}
    return set()


def expected(request: Any) -> Found:
    """What protovalidate finds, of an array whose rules are decided as a whole only at its first offending element."""
    found = protovalidate.Validator().collect_violations(request)
    told = [violation_of(v, request.DESCRIPTOR) for v in found]
    first: dict[str, int] = {}
    kept: Found = set()
    for v in told:
        match = ELEMENT.match(v.field)
        if match and match[2] in DECIDED:
            array, index = match[1] + match[2], int(match[3])
            if first.setdefault(array, index) != index:
                continue
        kept.add((v.field, v.rule, v.description))
    return kept


ODD = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, -0.1, 1e9, 1e300, float("inf"), float("-inf"), float("nan"), 0.5])
DOUBLES = st.lists(ODD | st.floats(), max_size=4)
FLOATS = st.lists(
    st.sampled_from([0.1, -0.1, 0.0, 0.05]).map(lambda x: float(np.float32(x))) | st.floats(width=32), max_size=4
)
CURVES = st.builds(
    lambda **fields: kind("Curve")(**fields),
    name=st.sampled_from(["", "ESTR", "much too long"]),
    rate=DOUBLES,
    time_ns=st.lists(st.integers(0, 2) | st.integers(0, (1 << 64) - 1), max_size=3),
)
FLAT = {
    "book": st.sampled_from(["", "desk", "much too long"]),
    "spot": DOUBLES,
    "strike": DOUBLES,
    "weight": FLOATS,
    "shift": st.lists(st.integers(-1, 8), max_size=4),
    "lot": st.lists(st.sampled_from([1, 10, 100, 11]), max_size=4),
    "moved": st.lists(st.sampled_from([5, 5, 6]), max_size=3),
    "day": st.lists(st.integers(-7, 0), max_size=3),
    "right": st.lists(st.integers(0, 3), max_size=3),
    "sign": st.lists(st.sampled_from([1.0, -1.0, 0.0]), max_size=3),
    "zero_or_more_than_one": st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0]), max_size=3),
}
DEEP = {
    "discount": CURVES,
    "believed": CURVES,
    "smile": CURVES,
    "legs": st.lists(CURVES, max_size=3),
    "by_desk": st.dictionaries(st.sampled_from(["spot", "forward"]), CURVES),
    "by_year": st.dictionaries(st.integers(-1, 2), CURVES),
}


def build(fields: dict[str, Any], inner: dict[str, Any] | None) -> Any:
    """A request; maps of messages take no messages in the constructor."""
    request = kind("PriceRequest")(**{k: v for k, v in fields.items() if k not in ("by_desk", "by_year")})
    for name in fields.keys() & {"by_desk", "by_year"}:
        for key, curve in fields[name].items():
            getattr(request, name)[key].CopyFrom(curve)
    if inner is not None:
        request.inner.CopyFrom(build(inner, None))
    return request


REQUESTS = st.builds(
    build,
    st.fixed_dictionaries({}, optional=FLAT | DEEP),
    st.none() | st.fixed_dictionaries({}, optional=FLAT | {"legs": DEEP["legs"]}),
)


@settings(max_examples=150, deadline=None)
@given(REQUESTS)
def test_the_verdict_is_protovalidates(request):
    """Fields, rules and words are those that protovalidate gives, up to the first offending element of each array."""
    assert violations(request, raw=True) == expected(request)


@settings(max_examples=15, deadline=None)
@given(REQUESTS)
def test_the_verdict_does_not_depend_on_the_size(request):
    """Small requests, which protovalidate passes by itself, are refused in the same words as large ones."""
    assert violations(request, raw=True, small_bytes_max=validation.SMALL_BYTES_MAX) == expected(request)


@settings(max_examples=15, deadline=None)
@given(REQUESTS)
def test_the_verdict_does_not_need_the_bytes(request):
    """A request that was never bytes is judged alike."""
    assert violations(request, raw=False) == expected(request)


def test_the_first_offending_element_is_named():
    """Of an array with many wrong elements the first is told, under every rule that it breaks."""
    spot = np.ones(100)
    spot[[17, 18, 60]] = np.nan, -1.0, np.inf
    request = kind("PriceRequest")(spot=spot.tolist())
    assert violations(request, raw=True) == {
        ("spot[17]", "double.gt", "is NaN: must be greater than 0"),
        ("spot[17]", "double.finite", "is NaN: must be finite"),
    }


def test_bounds_on_the_count_still_hold():
    """A bound on the number of elements names the field, as it did."""
    request = kind("PriceRequest")(spot=[1.0] * 20_001)
    assert violations(request, raw=True) == {
        ("spot", "repeated.max_items", "must contain no more than 20000 item(s)"),
    }


def test_rules_of_the_whole_message_see_the_arrays():
    """An expression of one's own over arrays is evaluated on the arrays themselves."""
    request = kind("PriceRequest")(spot=[1.0, 2.0], strike=[1.0])
    assert violations(request, raw=True) == {("", "price.lengths", "strike must be as long as spot")}


def test_rules_that_are_not_understood_stay_where_they_are():
    """Only standard rules of numbers with fixed width leave protovalidate; the others are found in the copy."""
    rules = ElementRules(kind("PriceRequest").DESCRIPTOR)
    assert rules
    rest = rules.without()
    kept = {f.name for f in rest.fields if _rules(f).repeated.HasField("items")}
    assert kept == {"day", "right", "sign", "zero_or_more_than_one"}
    assert _rules(rest.fields_by_name["spot"]).repeated.max_items == 20_000
    assert not rest.fields_by_name["strike"].GetOptions().HasExtension(validate_pb2.field)
    curve = rest.fields_by_name["legs"].message_type
    assert _rules(curve.fields_by_name["name"]).string.max_len == 8
    assert not _rules(curve.fields_by_name["rate"]).repeated.HasField("items")


def _rules(field: Any) -> validate_pb2.FieldRules:
    return field.GetOptions().Extensions[validate_pb2.field]


def test_a_message_without_such_rules_is_left_to_protovalidate():
    """Where nothing can be decided for the whole array, nothing is."""
    assert not ElementRules(kind("PriceResponse").DESCRIPTOR)


def _single(name: str, **items: float) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"test/{name}.proto", package=f"test.{name}", syntax="proto3", dependency=["buf/validate/validate.proto"]
    )
    field = file.message_type.add(name="Only").field.add(name="value", number=1, label=3, type=1)
    bounds = field.options.Extensions[validate_pb2.field].repeated.items.double
    for rule, value in items.items():
        setattr(bounds, rule, value)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"test.{name}.Only"))


@pytest.mark.parametrize("lower", ["gt", "gte"])
@pytest.mark.parametrize("upper", ["lt", "lte"])
@pytest.mark.parametrize("bounds", [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0)], ids=["within", "outside", "point"])
def test_bounds_mean_what_they_mean_to_protovalidate(lower, upper, bounds):
    """Every pair of bounds, also where they cross, takes and refuses the same numbers, NaN and infinities too."""
    name = f"{lower}_{upper}_{bounds[0]:.0f}{bounds[1]:.0f}"
    only = _single(name, **{lower: bounds[0], upper: bounds[1]})
    assert ElementRules(only.DESCRIPTOR)
    check = Validation().check(only.DESCRIPTOR)
    assert check is not None
    plain = protovalidate.Validator()
    for value in (0.0, 1.0, 1.5, 2.0, 3.0, float("nan"), float("inf"), float("-inf")):
        found_plainly = plain.collect_violations(only(value=[value]))
        told = [(each.description, each.rule) for each in (violation_of(v, only.DESCRIPTOR) for v in found_plainly)]
        try:
            check(only(value=[value]))
            found = []
        except Failure as failure:
            found = [(v.description, v.rule) for v in failure.violations]
        assert found == told, value


def test_a_bound_that_is_not_a_number_is_left_to_protovalidate():
    """NaN as a bound means nothing that an array could be compared with."""
    assert not ElementRules(_single("nan_bound", gt=float("nan")).DESCRIPTOR)


def test_large_requests_are_not_hashed():
    """To ask whether a large request is known does not read it."""

    class Unhashable(bytes):
        def __hash__(self) -> int:
            raise AssertionError("hashed")

    assert Unhashable(Known.BYTES_MAX + 1) not in Known()
