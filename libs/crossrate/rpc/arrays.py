"""Numbers in messages as numpy arrays: `repeated double` in the contract, arrays in the handler.

    spot, strike = arrays.get(request, "spot"), arrays.get(request, "strike")
    ...
    return arrays.put(PriceBatchResponse(as_of=now), price=price, delta=delta)

The message stays what the contract's generated class says, for handlers, stubs, validation and redaction alike; other
languages read and write the same fields as lists. What this module saves is the loop: a packed field's bytes are the
array, so both ways are copies of a block of memory. That holds for the kinds whose elements have a fixed width (double,
float, fixed32, fixed64, sfixed32, sfixed64). The other numbers (int32 and its kin, bool, enums) are read as fast, and
are written element by element.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from numpy.typing import ArrayLike

M = TypeVar("M", bound=Message)

BYTES_MAX = (1 << 31) - 1
"""Largest message that protobuf has."""

FIXED_WIDTH: dict[int, np.dtype] = {
    FieldDescriptor.TYPE_DOUBLE: np.dtype(np.float64),
    FieldDescriptor.TYPE_FLOAT: np.dtype(np.float32),
    FieldDescriptor.TYPE_FIXED32: np.dtype(np.uint32),
    FieldDescriptor.TYPE_FIXED64: np.dtype(np.uint64),
    FieldDescriptor.TYPE_SFIXED32: np.dtype(np.int32),
    FieldDescriptor.TYPE_SFIXED64: np.dtype(np.int64),
}
"""The kinds whose packed bytes are the array, little-endian."""

_OTHERS: dict[int, np.dtype] = {
    FieldDescriptor.TYPE_INT32: np.dtype(np.int32),
    FieldDescriptor.TYPE_SINT32: np.dtype(np.int32),
    FieldDescriptor.TYPE_UINT32: np.dtype(np.uint32),
    FieldDescriptor.TYPE_INT64: np.dtype(np.int64),
    FieldDescriptor.TYPE_SINT64: np.dtype(np.int64),
    FieldDescriptor.TYPE_UINT64: np.dtype(np.uint64),
    FieldDescriptor.TYPE_ENUM: np.dtype(np.int32),
    FieldDescriptor.TYPE_BOOL: np.dtype(np.bool_),
}
_LENGTH_DELIMITED = 2


@dataclass(frozen=True, slots=True)
class _Field:
    """A field as this module sees it. `tag` is what precedes the length on the wire, b"" if the width varies."""

    name: str
    dtype: np.dtype
    tag: bytes


def get(message: Message, name: str) -> np.ndarray:
    """A field of numbers as an array.

    Args:
        name: a repeated field of numbers of the message itself; of a nested message, pass that message.

    Returns:
        One dimension, the field's own width (float64 for double, int32 for an enum), in the machine's byte order,
        read-only. It is a copy of the memory: what happens to the message later does not show in it.

    Raises:
        AttributeError: the message has no such field.
        TypeError: the field does not hold several numbers.
    """
    field = _field(message.DESCRIPTOR, name)
    array = np.asarray(getattr(message, name), dtype=field.dtype)
    array.setflags(write=False)
    return array


def put(message: M, /, **columns: ArrayLike) -> M:
    """Sets fields of numbers from arrays, in place of what they held, and returns the message.

    Either all fields are set or none.

    Args:
        columns: by field name, one dimension each, of any width. Integers go into fields of double and float as far
            as these hold them exactly, doubles into float rounded to the nearest. Floating point does not go into
            integers: whether to round or to cut is the caller's to say.

    Raises:
        AttributeError: the message has no such field.
        TypeError: the field does not hold several numbers, or the values are not numbers of its kind.
        ValueError: there is more than one dimension, or none; a value is out of the field's range (the message names
            the first); or the arrays exceed what one message can hold.
    """
    parts: list[Any] = []
    bytes_total = 0
    listed = None
    for name, values in columns.items():
        field = _field(message.DESCRIPTOR, name)
        column = _column(message, field, values)
        if not field.tag:
            listed = type(message)() if listed is None else listed
            getattr(listed, name).extend(column.tolist())
        elif column.size:
            parts += (field.tag, _varint(column.nbytes), column.data)
            bytes_total += column.nbytes
    if bytes_total > BYTES_MAX:
        raise ValueError(f"{_named(message)}: {bytes_total} bytes of arrays; a message holds {BYTES_MAX}: send fewer")
    for name in columns:
        message.ClearField(name)
    if parts:
        message.MergeFromString(b"".join(parts))
    if listed is not None:
        message.MergeFrom(listed)
    return message


@functools.lru_cache(maxsize=4096)
def _field(message: Descriptor, name: str) -> _Field:
    field = message.fields_by_name.get(name)
    if field is None:
        raise AttributeError(f"{message.full_name} has no field {name!r}; it has {', '.join(message.fields_by_name)}")
    if not field.is_repeated or (dtype := FIXED_WIDTH.get(field.type) or _OTHERS.get(field.type)) is None:
        raise TypeError(
            f"{message.full_name}.{name} is not a repeated field of numbers: use it as the message gives it"
        )
    tag = _varint(field.number << 3 | _LENGTH_DELIMITED) if field.type in FIXED_WIDTH else b""
    return _Field(name, dtype, tag)


def _named(message: Message) -> str:
    return message.DESCRIPTOR.full_name


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _column(message: Message, field: _Field, values: ArrayLike) -> np.ndarray:
    """The values as the field's packed bytes have them: contiguous, little-endian."""
    where = f"{_named(message)}.{field.name}"
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{where}: masked values have no form on the wire: fill them, or leave them out")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}: give one dimension") from None
    if array.ndim != 1:
        raise ValueError(f"{where} takes one dimension, not the shape {array.shape}: ravel it")
    if array.dtype != field.dtype:
        array = _cast(where, array, field.dtype) if array.size else np.empty(0, field.dtype)
    return np.ascontiguousarray(array, dtype=field.dtype.newbyteorder("<"))


def _cast(where: str, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        for i, value in enumerate(array.tolist()):
            if not isinstance(value, int | float):
                raise TypeError(f"{where}[{i}] is {value!r}, not a number")
        raise TypeError(f"{where}: an array of {array.dtype} is not one of numbers: give it the type {dtype}")
    if dtype.kind == "f" and array.dtype.kind in "iu":
        whole = 1 << np.finfo(dtype).nmant + 1
        outside = (array > whole) | (array < -whole)
        if outside.any():
            i = int(outside.argmax())
            raise ValueError(
                f"{where}[{i}] is {array[i]}, beyond the whole numbers that {dtype} holds exactly: {whole}"
            )
        return array.astype(dtype)
    if np.can_cast(array.dtype, dtype, "safe"):
        return array.astype(dtype)
    if dtype.kind == "f" and array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            narrow = array.astype(dtype)
        outside = np.isinf(narrow) & np.isfinite(array)
    elif dtype.kind in "iu" and array.dtype.kind in "iu":
        narrow = array.astype(dtype)
        outside = (narrow != array) | ((narrow < 0) != (array < 0))
    else:
        raise TypeError(f"{where} takes {dtype}, not {array.dtype}: round it and give it the type {dtype}")
    if outside.any():
        i = int(outside.argmax())
        raise ValueError(f"{where}[{i}] is {array[i]}, out of the range of {dtype}")
    return narrow
