"""Typed messages: what is written is read again, and what is wrong is told with its reason and its tag."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import types
import typing
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossrate.fix import admin, orders, parts, quotes, reports
from crossrate.fix.codec import MESSAGES, encode
from crossrate.fix.dictionary import HEADER, TRAILER, defined, legal
from crossrate.fix.enums import ExecType, OrdRejReason, OrdStatus, OrdType, Side, TimeInForce
from crossrate.fix.faults import BusinessFault, BusinessReason, Fault, RejectReason
from crossrate.fix.fields import FIELDS
from crossrate.fix.message import Framer, Message, encoded, framed, packed
from crossrate.fix.reader import Decoder

HEAD = packed([(49, "A"), (56, "B"), (34, 7), (52, "20260102-15:04:05.678")])
NOW_NS = 1_767_366_245_678_000_000
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255), min_size=1, max_size=12)
KINDS = [cls for kind, cls in MESSAGES.items() if kind not in b"012345A"]


def on_the_wire(value: Any) -> Message:
    """A message, as it comes."""
    framer = Framer()
    (message,) = framer.feed(framed(b"35=%b\x01%b%b" % (value.KIND, HEAD, encode(value))))
    return message


def read(kind: str, *pairs: tuple[int, Any], strict: bool = True) -> Any:
    """What a decoder of every message makes of these fields."""
    body = [(35, kind), (49, "A"), (56, "B"), (34, 7), (52, "20260102-15:04:05.678")]
    (message,) = Framer().feed(encoded(body, pairs))
    return Decoder(KINDS, strict=strict)(message)


ORDER: list[tuple[int, Any]] = [(11, "a"), (55, "EUR/USD"), (54, 1), (60, "20260102-15:04:05.678"), (40, 1)]


def plain(kind: Any, name: str) -> st.SearchStrategy:
    """Values of a field's type."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    if name.endswith("settl_type"):
        return st.sampled_from(["0", "1", "B", "M1", "W2"])
    if name.endswith("security_type"):
        return st.sampled_from(["CS", "FXSPOT"])
    if name in ("currency", "settl_currency", "leg_currency"):
        return st.sampled_from(["EUR", "USD"])
    if name in ("party_id_source", "nested_party_id_source", "list_exec_inst_type"):
        return st.characters(min_codepoint=48, max_codepoint=90)
    return {
        str: TEXT,
        int: st.integers(0, 10**17),
        bool: st.booleans(),
        bytes: st.binary(min_size=1, max_size=8),
        Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**9), max_value=10**9),
        dt.date: st.dates(dt.date(1970, 1, 1), dt.date(2099, 12, 31)),
        tuple[str, ...]: st.lists(st.sampled_from(["1", "G", "6"]), min_size=1, max_size=3).map(tuple),
    }[kind]


def values(cls: type) -> st.SearchStrategy:
    """Messages, or entries of groups, of a class."""
    hints, given_fields = typing.get_type_hints(cls), {}
    for field in dataclasses.fields(cls):
        if field.name == "extra":
            given_fields["extra"] = (
                st.sampled_from([(), ((5001, b"x"), (9000, b"y=z"))]) if cls in KINDS else st.just(())
            )
            continue
        kind, needed = hints[field.name], field.metadata.get("required")
        if member := field.metadata.get("member"):
            given_fields[field.name] = st.lists(values(member), min_size=bool(needed), max_size=2).map(tuple)
            continue
        args = typing.get_args(kind)
        optional = type(None) in args and isinstance(kind, types.UnionType)
        strategy = plain(next(arg for arg in args if arg is not type(None)) if optional else kind, field.name)
        given_fields[field.name] = strategy if needed else st.none() | strategy
    return st.builds(cls, **given_fields)


@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)
def test_what_is_written_is_read_again(cls: type) -> None:
    """Every message with whatever it may hold comes back equal, by a strict decoder and by a lenient one."""
    decoders = [Decoder([cls], strict=strict) for strict in (True, False)]

    @given(values(cls))
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    def check(value: Any) -> None:
        try:
            message = on_the_wire(value)
        except ValueError as error:
            assert "Conditionally required" in str(error)  # noqa: PT017
            return
        assert [decode(message) for decode in decoders] == [value, value]

    check()


def test_every_field_of_a_message_is_one_of_fix_44() -> None:
    """Each tag has a type, and the standard has it in that message."""
    for cls in MESSAGES.values():
        allowed, waiting = legal(cls.KIND.decode()), [cls]
        assert allowed, cls
        while waiting:
            for field in dataclasses.fields(waiting.pop()):
                if "tag" not in field.metadata:
                    continue
                assert field.metadata["tag"] in allowed, (cls, field.name)
                if member := field.metadata.get("member"):
                    waiting.append(member)
                else:
                    assert field.metadata["tag"] in FIELDS
    assert not HEADER & TRAILER
    assert defined(55)
    assert not defined(101)


@pytest.mark.parametrize(
    ("pairs", "reason", "tag"),
    [
        (ORDER[1:], RejectReason.REQUIRED_TAG_MISSING, 11),
        ([*ORDER, (54, 2)], RejectReason.TAG_APPEARS_TWICE, 54),
        ([*ORDER, (44, "")], RejectReason.TAG_WITHOUT_VALUE, 44),
        ([*ORDER, (44, "1,5")], RejectReason.INCORRECT_DATA_FORMAT, 44),
        ([*ORDER, (44, "NaN")], RejectReason.INCORRECT_DATA_FORMAT, 44),
        ([*ORDER, (44, "1_0")], RejectReason.INCORRECT_DATA_FORMAT, 44),
        ([*ORDER, (44, "9" * 41)], RejectReason.INCORRECT_DATA_FORMAT, 44),
        ([*ORDER, (15, "euro")], RejectReason.VALUE_INCORRECT, 15),
        ([*ORDER, (63, "Z")], RejectReason.VALUE_INCORRECT, 63),
        ([*ORDER, (64, "20260231")], RejectReason.INCORRECT_DATA_FORMAT, 64),
        ([*ORDER, (64, "2026-01-02")], RejectReason.INCORRECT_DATA_FORMAT, 64),
        ([*ORDER, (1137, "9")], RejectReason.INVALID_TAG_NUMBER, 1137),
        ([*ORDER, (101, "9")], RejectReason.INVALID_TAG_NUMBER, 101),
        ([*ORDER, (269, "0")], RejectReason.TAG_NOT_DEFINED_FOR_MESSAGE, 269),
        ([*ORDER, (115, "X")], RejectReason.TAG_OUT_OF_ORDER, 115),
        ([*ORDER, (453, 2), (448, "a"), (452, 3)], RejectReason.GROUP_COUNT, 453),
        ([*ORDER, (453, 1), (448, "a"), (448, "b")], RejectReason.GROUP_COUNT, 453),
        ([*ORDER, (453, 1), (452, 3), (448, "a")], RejectReason.GROUP_OUT_OF_ORDER, 452),
        ([*ORDER, (453, 1), (448, "a"), (452, 3), (452, 4)], RejectReason.TAG_APPEARS_TWICE, 452),
        ([*ORDER, (453, "x"), (448, "a")], RejectReason.INCORRECT_DATA_FORMAT, 453),
        ([*ORDER, (453, "99999"), (448, "a")], RejectReason.INCORRECT_DATA_FORMAT, 453),
    ],
)
def test_what_is_wrong_is_told(pairs: list, reason: RejectReason, tag: int) -> None:
    """Each fault has the session's reason and the tag that it is about."""
    with pytest.raises(Fault) as caught:
        read("D", *pairs)
    assert (caught.value.reason, caught.value.tag) == (reason, tag)


def test_a_lenient_decoder_keeps_what_it_does_not_know() -> None:
    """Tags of later versions and of other messages stand in `extra`, in order, and are written again."""
    order = read("D", *ORDER[:3], (1137, 9), *ORDER[3:], (269, 0), (7001, "x"), strict=False)
    assert order.extra == ((1137, b"9"), (269, b"0"), (7001, b"x"))
    assert read("D", *((int(t), v) for t, _, v in on_the_wire(order).pairs[5:]), strict=False) == order


def test_a_venues_own_field_within_a_group_stays_in_its_entry() -> None:
    """It does not end the group, and is written where it was."""
    order = read("D", *ORDER, (453, 2), (448, "a"), (7002, "x"), (452, 3), (448, "b"), (452, 4), (58, "t"), (7003, "y"))
    assert [party.extra for party in order.parties] == [((7002, b"x"),), ()]
    assert (order.parties[1].party_role, order.text, order.extra) == (4, "t", ((7003, b"y"),))


def test_groups_stand_within_groups() -> None:
    """Parties of legs, and their parts."""
    leg = parts.Leg(
        leg_symbol="EUR/USD",
        leg_side=Side.SELL,
        nested_parties=(
            parts.NestedParty(
                nested_party_id="x",
                subs=(parts.NestedPartySub(nested_party_sub_id="desk", nested_party_sub_id_type=24),),
            ),
            parts.NestedParty(nested_party_id="y"),
        ),
        leg_settl_date=dt.date(2026, 3, 6),
    )
    swap = orders.NewOrderMultileg(
        cl_ord_id="s",
        side=Side.BUY,
        legs=(dataclasses.replace(leg, leg_side=Side.BUY), leg),
        transact_time=NOW_NS,
        ord_type=OrdType.MARKET,
    )
    assert Decoder([orders.NewOrderMultileg], strict=True)(on_the_wire(swap)) == swap


def test_numbers_are_exact() -> None:
    """Every digit comes as it was written; a float is refused."""
    order = read("D", *ORDER, (38, "002000000.50"), (44, "1.085050000000000001"))
    assert (order.order_qty, order.price) == (Decimal("2000000.50"), Decimal("1.085050000000000001"))
    assert b"44=1.085050000000000001\x01" in encode(order)
    assert b"38=100000000000000000000\x01" in encode(dataclasses.replace(order, order_qty=Decimal("1E+20")))
    for wrong in (1.5, Decimal("NaN"), Decimal("Infinity"), "1"):
        with pytest.raises(ValueError, match=r"NewOrderSingle\.price \(44\)"):
            encode(dataclasses.replace(order, price=wrong))


def test_what_cannot_be_written_names_its_field() -> None:
    """Delimiters, empty text, missing fields, values of other lists: nothing of it reaches a peer."""
    order = read("D", *ORDER)
    for changes, name in (
        ({"cl_ord_id": "a\x0154=2"}, "cl_ord_id"),
        ({"cl_ord_id": ""}, "cl_ord_id"),
        ({"cl_ord_id": None}, "cl_ord_id"),
        ({"text": "price ≥ 1"}, "text"),
        ({"side": "Z"}, "side"),
        ({"currency": "Euro"}, "currency"),
        ({"settl_date": "20260102"}, "settl_date"),
        ({"extra": ((7000, b"a\x01b"),)}, "extra"),
    ):
        with pytest.raises(ValueError, match=name):
            encode(dataclasses.replace(order, **changes))


@pytest.mark.parametrize(
    ("pairs", "tag"),
    [
        ([(40, 2)], 44),
        ([(40, 3)], 99),
        ([(40, 4), (44, 1)], 99),
        ([(40, "D")], 117),
        ([(40, 1), (59, 6)], 126),
        ([(40, 1), (63, "B")], 64),
    ],
)
def test_what_another_field_makes_necessary(pairs: list, tag: int) -> None:
    """A limit has a price, a stop a trigger, a broken date a date: otherwise the business refuses."""
    with pytest.raises(BusinessFault) as caught:
        read("D", *ORDER[:4], *pairs)
    fault = caught.value
    assert (fault.reason, fault.tag) == (BusinessReason.CONDITIONALLY_REQUIRED_FIELD_MISSING, tag)
    assert fault.reference == "a"
    with pytest.raises(BusinessFault):
        read("E", (66, "l"), (394, 3), (68, 1), (73, 1), (11, "a"), (67, 1), (55, "EUR/USD"), (54, 1), *pairs)


def test_a_replacement_of_a_quoted_order_names_no_quote() -> None:
    """Its quote is the order's."""
    assert read("G", (41, "o"), *ORDER[:4], (40, "D")).ord_type is OrdType.PREVIOUSLY_QUOTED


def test_an_fx_swap_report_has_both_legs() -> None:
    """Near and far date, quantity, and points come as they are; prices with their points."""
    report = reports.ExecutionReport(
        order_id="V",
        exec_id="E",
        exec_type=ExecType.TRADE,
        ord_status=OrdStatus.FILLED,
        symbol="EUR/USD",
        side=Side.BUY,
        leaves_qty=Decimal(0),
        cum_qty=Decimal(1_000_000),
        avg_px=Decimal("1.08505"),
        last_qty=Decimal(1_000_000),
        last_px=Decimal("1.08505"),
        last_spot_rate=Decimal("1.08500"),
        last_forward_points=Decimal("0.00005"),
        last_forward_points2=Decimal("0.00155"),
        settl_date=dt.date(2026, 1, 6),
        settl_date2=dt.date(2026, 4, 7),
        order_qty2=Decimal(1_000_000),
        time_in_force=TimeInForce.FILL_OR_KILL,
        currency="EUR",
    )
    message = on_the_wire(report)
    assert message.text(641) == "0.00155"
    assert (message.text(64), message.text(193)) == ("20260106", "20260407")
    assert Decoder([reports.ExecutionReport], strict=True)(message) == report


def test_every_state_of_an_order_can_be_told() -> None:
    """All of ExecType, OrdStatus and OrdRejReason."""
    fields = [(37, "V"), (17, "E"), (55, "EUR/USD"), (54, 1), (151, 0), (14, 0), (6, 0)]
    for exec_type, status, reason in (
        *((each, OrdStatus.NEW, OrdRejReason.OTHER) for each in ExecType),
        *((ExecType.NEW, each, OrdRejReason.OTHER) for each in OrdStatus),
        *((ExecType.REJECTED, OrdStatus.REJECTED, each) for each in OrdRejReason),
    ):
        report = read("8", *fields, (150, exec_type.value), (39, status.value), (103, reason.value))
        assert (report.exec_type, report.ord_status, report.ord_rej_reason) == (exec_type, status, reason)


LENGTHS_OF_DATA = (90, 93, 95, 212, 348, 350, 352, 354, 356, 358, 360, 362, 364, 445, 618, 621)
PAIRS = st.lists(
    st.tuples(
        st.sampled_from(
            [*ORDER, (453, 2), (448, "a"), (802, 1), (523, "s"), (386, 1), (336, "x"), (115, "y"), (9001, "z")]
        )
        | st.tuples(st.integers(0, 1000), st.sampled_from(["", "1", "-1", "x", "9" * 20, "EUR"])),
    ),
    max_size=25,
)


@given(PAIRS, st.booleans(), st.sampled_from(["D", "8", "E", "AE", "AB", "A"]))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_a_value_or_a_fault(pairs: list, strict: bool, kind: str) -> None:
    """Fields in any order and number, of any value: nothing else is raised, and a value can be written."""
    # What announces data that do not follow makes the message garbled, before any of this.
    told = [pair for (pair,) in pairs if pair[0] not in (8, 9, 10, *LENGTHS_OF_DATA)]
    try:
        value = read(kind, *told, strict=strict)
    except (Fault, BusinessFault):
        return
    assert encode(value) is not None


def test_types_that_are_not_taken() -> None:
    """A type of FIX 4.4 is unsupported, one of the parties' own too, and anything else is invalid."""
    decode = Decoder([orders.NewOrderSingle])
    for kind, expected in (("8", BusinessFault), ("U1", BusinessFault), ("*", Fault), ("ZZ", Fault)):
        (message,) = Framer().feed(encoded([(35, kind), (34, 1)], [(58, "x")]))
        with pytest.raises(expected):
            decode(message)
    assert isinstance(decode(on_the_wire(admin.Heartbeat())), admin.Heartbeat)
    assert quotes.SecurityList.KIND == b"y"
