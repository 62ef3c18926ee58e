"""Numbers in messages as numpy arrays."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.rpc import arrays
from crossrate.rpc.contract import holds_arrays
from tests.array_contract import kind

SOME = settings(max_examples=80, deadline=None)
DOUBLES = st.lists(st.floats(), max_size=12)
COLUMNS: dict[str, st.SearchStrategy] = {
    "spot": DOUBLES,
    "unpacked": DOUBLES,
    "weight": st.lists(st.floats(width=32), max_size=12),
    "shift": st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=12),
    "lot": st.lists(st.integers(0, (1 << 32) - 1), max_size=12),
    "moved": st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=12),
    "day": st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=12),
    "right": st.lists(st.integers(0, 5), max_size=12),
    "knocked": st.lists(st.booleans(), max_size=12),
}
SPOT, STRIKE = 2, 3
"""Numbers of the fields of the contract."""


def new(name: str = "PriceRequest", **fields: Any) -> Any:
    """A message of the contract."""
    return kind(name)(**fields)


def packed(number: int, values: np.ndarray) -> bytes:
    """A packed field of less than 16 doubles as another language writes it."""
    assert values.nbytes < 128
    return bytes([number << 3 | 2, values.nbytes]) + values.astype("<f8").tobytes()


def unpacked(number: int, values: np.ndarray) -> bytes:
    """The same with every element by itself."""
    return b"".join(bytes([number << 3 | 1]) + value.astype("<f8").tobytes() for value in values)


@SOME
@given(st.fixed_dictionaries({}, optional=COLUMNS))
def test_put_writes_what_assigning_the_elements_writes(columns):
    """Filled from arrays, a message has the bytes that it has when filled element by element, for every number."""
    plain = new(book="desk", **columns)
    dtypes = {name: arrays.get(plain, name).dtype for name in columns}
    filled = arrays.put(new(book="desk"), **{n: np.array(v, dtype=dtypes[n]) for n, v in columns.items()})
    assert filled.SerializeToString(deterministic=True) == plain.SerializeToString(deterministic=True)
    listed = arrays.put(new(book="desk"), **columns)
    assert listed.SerializeToString(deterministic=True) == plain.SerializeToString(deterministic=True)


@SOME
@given(st.fixed_dictionaries({}, optional=COLUMNS))
def test_get_reads_what_iterating_reads(columns):
    """An array has the field's elements, bit by bit."""
    message = kind("PriceRequest").FromString(new(**columns).SerializeToString())
    for name in columns:
        array = arrays.get(message, name)
        assert array.tobytes() == np.array(list(getattr(message, name)), dtype=array.dtype).tobytes()


@SOME
@given(st.lists(st.tuples(st.sampled_from([packed, unpacked]), st.lists(st.floats(), max_size=8)), max_size=6))
def test_every_legal_form_on_the_wire_reads_as_one_array(chunks):
    """Packed, unpacked, empty, and in several pieces with other fields between them: the pieces are joined in order."""
    other = packed(STRIKE, np.array([1.5]))
    raw = b"".join(form(SPOT, np.array(values)) + other for form, values in chunks)
    message = kind("PriceRequest").FromString(raw)
    joined = np.array([value for _, values in chunks for value in values], dtype=float)
    assert arrays.get(message, "spot").tobytes() == joined.tobytes()
    assert len(message.strike) == len(chunks)


@pytest.mark.parametrize("cut", [1, 7, 9, 15])
def test_bytes_that_are_not_whole_elements_are_no_message(cut):
    """A packed field whose size is not a multiple of its width, or that is cut off, is refused as malformed."""
    body = np.array([1.0, 2.0]).tobytes()[:cut]
    for size in (cut, 16):
        with pytest.raises(DecodeError):
            kind("PriceRequest").FromString(bytes([SPOT << 3 | 2, size]) + body)


def test_arrays_are_snapshots_that_nobody_takes_for_the_message():
    """An array cannot be written to, and later changes of the message do not show in it."""
    message = new(spot=[1.0, 2.0])
    spot = arrays.get(message, "spot")
    with pytest.raises(ValueError, match="read-only"):
        spot[0] = 3.0
    message.spot[0] = 9.0
    del message
    assert spot.tolist() == [1.0, 2.0]
    assert (spot.dtype, spot.ndim, spot.flags.aligned, spot.flags.c_contiguous) == (np.dtype("f8"), 1, True, True)


def test_put_replaces_and_touches_nothing_else():
    """What a field held is gone, an empty array empties it, and other fields stay."""
    message = new(spot=[1, 2, 3], strike=[4], day=[5, 6], book="desk")
    assert arrays.put(message, spot=np.array([7.0]), day=[]) is message
    assert message == new(spot=[7], strike=[4], book="desk")


def test_put_into_a_nested_message_makes_it_present():
    """A message inside of another comes to be when arrays are put into it, as when a field of it is set."""
    message = new()
    arrays.put(message.discount, rate=np.array([0.01, 0.02]))
    arrays.put(message.legs.add(), time_ns=np.array([1, 2], dtype=np.uint64))
    arrays.put(message.by_desk["spot"], rate=[0.5])
    assert message.HasField("discount")
    assert list(message.discount.rate) == [0.01, 0.02]
    assert list(message.legs[0].time_ns) == [1, 2]
    assert list(message.by_desk["spot"].rate) == [0.5]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(20.0)[::2],
        np.arange(20.0)[::-1],
        np.arange(10.0, dtype=">f8"),
        np.arange(10, dtype=np.int16),
        np.arange(10, dtype=np.float32),
        np.arange(40.0).reshape(10, 4)[:, 1],
        range(10),
    ],
    ids=["strided", "backwards", "big-endian", "int16", "float32", "column", "range"],
)
def test_put_takes_arrays_as_they_come(array):
    """Strides, byte order and narrower numbers are no matter to the field."""
    message = arrays.put(new(), spot=array, weight=array)
    assert list(message.spot) == list(message.weight) == [float(x) for x in array]


@pytest.mark.parametrize(
    ("column", "error", "words"),
    [
        ({"spot": [[1.0, 2.0]]}, ValueError, r"test\.arrays\.PriceRequest\.spot takes one .*\(1, 2\): ravel it"),
        ({"spot": 1.0}, ValueError, r"takes one dimension, not the shape \(\)"),
        ({"spot": [[1.0], [1.0, 2.0]]}, ValueError, r"spot: .*give one dimension"),
        ({"spot": [1.0, "1.1", None]}, TypeError, r"spot\[1\] is '1\.1', not a number"),
        ({"spot": [1.0, None]}, TypeError, r"spot\[1\] is None, not a number"),
        ({"spot": [1.0, Decimal("1.1")]}, TypeError, r"spot\[1\] is Decimal\('1\.1'\), not a number"),
        ({"spot": np.array([1 + 1j])}, TypeError, r"spot\[0\] is \(1\+1j\), not a number"),
        ({"spot": np.ma.masked_array([1.0], [True])}, TypeError, r"spot: masked values"),
        ({"weight": [1.0, 1e39]}, ValueError, r"weight\[1\] is 1e\+39, out of the range of float32"),
        (
            {"spot": [1, (1 << 53) + 1]},
            ValueError,
            r"spot\[1\] is 9007199254740993, beyond .* that float64 holds exactly",
        ),
        ({"weight": [-(1 << 24) - 1]}, ValueError, r"weight\[0\] is -16777217, beyond .* that float32 holds exactly"),
        ({"lot": [1, -1]}, ValueError, r"lot\[1\] is -1, out of the range of uint32"),
        ({"moved": np.array([1, 1 << 63], dtype=np.uint64)}, ValueError, r"moved\[1\] is 9223372036854775808, out"),
        ({"shift": [0, 1 << 31]}, ValueError, r"shift\[1\] is 2147483648, out of the range of int32"),
        ({"day": [1.5]}, TypeError, r"day takes int32, not float64: round it"),
        ({"knocked": [2]}, TypeError, r"knocked takes bool, not int64"),
        ({"book": [1.0]}, TypeError, r"PriceRequest\.book is not a repeated field of numbers"),
        ({"legs": [1.0]}, TypeError, r"PriceRequest\.legs is not a repeated field of numbers"),
        ({"flat": [1.0]}, TypeError, r"PriceRequest\.flat is not a repeated field of numbers"),
        ({"sport": [1.0]}, AttributeError, r"PriceRequest has no field 'sport'; it has book, spot"),
    ],
)
def test_put_refuses_what_a_field_cannot_hold_and_leaves_the_message(column, error, words):
    """The error names the field, the first wrong element and the remedy; nothing was set, the good fields neither."""
    message = new(spot=[1.0], day=[3], book="desk")
    before = message.SerializeToString(deterministic=True)
    with pytest.raises(error, match=words):
        arrays.put(message, strike=[5.0], right=[1], **column)
    assert message.SerializeToString(deterministic=True) == before


def test_put_says_when_one_message_cannot_hold_it(monkeypatch):
    """More bytes than a message can have are refused before anything is set."""
    monkeypatch.setattr(arrays, "BYTES_MAX", 63)
    message = new(spot=[1.0])
    with pytest.raises(ValueError, match="64 bytes of arrays; a message holds 63"):
        arrays.put(message, spot=np.zeros(4), strike=np.zeros(4))
    assert list(message.spot) == [1.0]


def test_get_refuses_what_is_no_array():
    """A field that is not several numbers, or not there, is named."""
    with pytest.raises(TypeError, match=r"PriceRequest\.book is not a repeated field of numbers"):
        arrays.get(new(), "book")
    with pytest.raises(AttributeError, match="no field 'sport'"):
        arrays.get(new(), "sport")


def test_nan_and_the_sign_of_zero_survive():
    """Every bit of a double crosses the wire, also those that arithmetic does not see."""
    bits = np.array([0x7FF8000000000123, 1 << 63, 0xFFF0000000000000, 1], dtype=np.uint64)
    raw = arrays.put(new(), spot=bits.view(np.float64)).SerializeToString()
    back = arrays.get(kind("PriceRequest").FromString(raw), "spot")
    assert back.view(np.uint64).tolist() == bits.tolist()


def test_where_arrays_are_is_seen_from_the_contract():
    """A message holds arrays if it, or anything inside it, repeats numbers of fixed width."""
    assert holds_arrays(kind("Curve").DESCRIPTOR)
    assert holds_arrays(kind("PriceResponse").DESCRIPTOR)
    nested = kind("PriceResponse").DESCRIPTOR.fields_by_name["as_of"].message_type
    assert not holds_arrays(nested)
