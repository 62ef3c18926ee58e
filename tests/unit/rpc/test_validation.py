"""The contract's rules on requests, answered field by field."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from buf.validate import validate_pb2
from crossrate.api.pricing.v1 import market_pb2 as market
from crossrate.api.pricing.v1 import pricing_service_pb2 as pricing
from crossrate.api.pricing.v1 import product_pb2 as product
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.rpc.errors import ErrorReason, Failure
from crossrate.rpc.validation import Known, Validation, depends_on_time, has_rules


def test_every_violation_is_reported():
    """All broken rules are in the answer, each with its field's path and its rule's id."""
    check = Validation().check(reference.ListValueDatesRequest.DESCRIPTOR)
    assert check is not None
    with pytest.raises(Failure) as raised:
        check(reference.ListValueDatesRequest(base="eur", counter="USD", tenors=["1W", "soon"]))
    assert raised.value.reason is ErrorReason.INVALID_REQUEST
    assert [(v.field, v.rule) for v in raised.value.violations] == [
        ("base", "string.pattern"),
        ("tenors[1]", "string.pattern"),
    ]
    assert all(v.description for v in raised.value.violations)


def test_a_rule_on_the_whole_message_names_its_own_id():
    """A message's own rule is reported under the id and the words that the contract gives it."""
    check = Validation().check(reference.ListSettlementDaysRequest.DESCRIPTOR)
    assert check is not None
    request = reference.ListSettlementDaysRequest(currency="EUR")
    request.start_date.year, request.end_date.year = 2020, 2019
    request.start_date.month = request.end_date.month = request.start_date.day = request.end_date.day = 1
    with pytest.raises(Failure) as raised:
        check(request)
    (violation,) = raised.value.violations
    assert violation.rule == "settlement_days.range"
    assert violation.description.startswith("end_date must not be before start_date")


def words(request) -> dict[str, str]:
    """What is said of each field of a request that breaks rules."""
    check = Validation().check(request.DESCRIPTOR)
    assert check is not None
    with pytest.raises(Failure) as raised:
        check(request)
    return {v.field: v.description for v in raised.value.violations}


def test_what_is_missing_is_said_by_name():
    """Of an enumeration and of fields that exclude each other the answer lists what may be given."""
    request = pricing.PriceRequest(
        product={"instrument": "EUR/USD", "vanilla": {"strike": 1.1, "cut": 7, "notional": 1}}
    )
    assert words(request) == {
        "market": "give one of snapshot_id, flat_market",
        "product.vanilla.put_or_call": "is not given: give one of PUT_OR_CALL_PUT, PUT_OR_CALL_CALL",
        "product.vanilla.cut": "is 7: give one of EXPIRY_CUT_NEW_YORK, EXPIRY_CUT_TOKYO",
        "product.vanilla.expiry": "is empty: does not match regex pattern "
        "`^(ON|[1-9][0-9]?[DWMY]|[0-9]{4}-[0-9]{2}-[0-9]{2})$`",
    }
    curve = market.Curve(currency="USD", time=[1], rate=[0.04], interpolation=0)
    assert words(curve)["interpolation"].startswith("is CURVE_INTERPOLATION_UNSPECIFIED: give one of CURVE_INTERP")
    assert words(pricing.PriceProductsRequest())["products"] == "must contain at least 1 item(s)"


def test_numbers_are_written_so_that_one_can_read_them():
    """Long numbers come in powers of ten, single values without a list, and what is no number is called so."""
    spot = product.Spot(notional=float("nan"), rate=0.0)
    assert words(spot) == {
        "notional": "is NaN: must be greater than or equal to -1e15 and less than or equal to 1e15",
        "rate": "must be greater than or equal to 1e-9 and less than or equal to 1000000000",
    }
    assert words(product.Spot(notional=0.0)) == {"notional": "must not be 0"}
    batch = pricing.PriceBatchRequest(put_or_call=[1], strike=[1.1, float("inf")], time=[0.5], given={"spot": [1.1]})
    told = words(batch)
    assert told["strike[1]"] == "is infinite: must be greater than or equal to 1e-60 and less than or equal to 1e60"
    assert set(told) == {"strike[1]", "given.volatility", "given.domestic_rate", "given.foreign_rate"}


def test_a_message_without_rules_costs_nothing():
    """Where the contract has no rule there is no check."""
    assert Validation().check(reference.ListCurrenciesRequest.DESCRIPTOR) is None
    assert not has_rules(reference.ListCurrenciesRequest.DESCRIPTOR)


def test_paths_into_maps_and_lists_read_as_people_write_them():
    """A violation inside of a map's value or a list's element names the key or the index."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test/limits.proto", package="test.limits", syntax="proto3", dependency=["buf/validate/validate.proto"]
    )
    leg = file.message_type.add(name="Leg")
    amount = leg.field.add(name="notional", number=1, label=1, type=1)
    amount.options.Extensions[validate_pb2.field].double.gt = 0
    book = file.message_type.add(name="Book")
    book.field.add(name="legs", number=1, label=3, type=11, type_name=".test.limits.Leg")
    book.field.add(name="by_desk", number=2, label=3, type=11, type_name=".test.limits.Book.ByDeskEntry")
    entry = book.nested_type.add(name="ByDeskEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=1, type=9)
    entry.field.add(name="value", number=2, label=1, type=11, type_name=".test.limits.Leg")
    pool = descriptor_pool.Default()
    pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("test.limits.Book"))
    message = kind()
    message.legs.add(notional=1)
    message.legs.add(notional=-1)
    message.by_desk["spot"].notional = 0
    check = Validation().check(kind.DESCRIPTOR)
    assert check is not None
    with pytest.raises(Failure) as raised:
        check(message)
    assert [v.field for v in raised.value.violations] == ["legs[1].notional", 'by_desk["spot"].notional']


def test_what_is_remembered_is_bounded_and_small():
    """Requests found valid are remembered up to a number and a size."""
    known = Known()
    for i in range(3 * Known.REQUESTS_MAX):
        known.add(str(i).encode())
    known.add(b"x" * (Known.BYTES_MAX + 1))
    assert len(known._valid) <= Known.REQUESTS_MAX
    assert str(3 * Known.REQUESTS_MAX - 1).encode() in known
    assert b"x" * (Known.BYTES_MAX + 1) not in known


def test_verdicts_that_time_may_change_are_seen_as_such():
    """A rule that compares with the clock makes its message depend on time; a pattern does not."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test/clock.proto",
        package="test.clock",
        syntax="proto3",
        dependency=["buf/validate/validate.proto", "google/protobuf/timestamp.proto"],
    )
    message = file.message_type.add(name="Since")
    field = message.field.add(name="at", number=1, label=1, type=11, type_name=".google.protobuf.Timestamp")
    field.options.Extensions[validate_pb2.field].timestamp.lt_now = True
    pool = descriptor_pool.Default()
    pool.Add(file)
    assert depends_on_time(pool.FindMessageTypeByName("test.clock.Since"))
    assert not depends_on_time(reference.GetInstrumentRequest.DESCRIPTOR)
