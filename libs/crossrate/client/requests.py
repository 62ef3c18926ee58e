"""Requests from what a program has: fields by name, nested as dictionaries, arrays, times as Python's own."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

_DATE, _TIME, _DURATION = "google.type.Date", "google.protobuf.Timestamp", "google.protobuf.Duration"
_LIST_LENGTH_MAX = 256
"""Longer lists of numbers are written as arrays, which takes a tenth of the time."""


def request_of(kind: type[M], fields: Mapping[str, Any]) -> M:
    """A message of its fields by name; None leaves a field unset.

    Beside what protobuf takes:

    - a nested message as a dictionary;
    - several numbers as anything with an array inside: numpy, pandas, polars, Arrow;
    - an enum by its name or its word: "VAR_METHOD_PLAIN", "plain";
    - a `Timestamp` from a datetime with a time zone, from ISO 8601 ("2026-09-30T15:00Z"), or from a numpy datetime64,
      which is UTC;
    - a `Duration` from a timedelta or from seconds; a `Date` from a date or from "2026-09-30";
    - a decimal from Decimal or int. A float is refused: it is not exact.

    Raises:
        TypeError: there is no such field, a value is not of the field's kind, or two fields exclude each other; the
            message has the field's path.
        ValueError: a word, a time or a number is none.
    """
    message = kind()
    _fill(message, fields, "")
    return message


def _fill(message: Message, fields: Mapping[str, Any], path: str) -> None:
    known = message.DESCRIPTOR.fields_by_name
    chosen: dict[str, str] = {}
    for name, value in fields.items():
        field = known.get(name)
        if field is None:
            raise TypeError(_no_field(message.DESCRIPTOR, path, name))
        if value is None:
            continue
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1 and chosen.setdefault(oneof.name, name) != name:
            other = path + chosen[oneof.name]
            raise TypeError(f"{other} and {path}{name} exclude each other: give one of them as {oneof.name}")
        _set(message, field, value, path + name)


def _no_field(message: Descriptor, path: str, name: str) -> str:
    names = list(message.fields_by_name)
    near = difflib.get_close_matches(name, names, 1)
    remedy = f"did you mean {path}{near[0]}?" if near else f"it has {', '.join(names) or 'none'}"
    return f"{message.name} has no field {path}{name}: {remedy}"


def _set(message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
    if field.is_repeated:
        _set_several(message, field, value, path)
    elif field.message_type is not None:
        _become(getattr(message, field.name), value, path)
    else:
        _assign(message, field, _scalar(field, value, path), path)


def _assign(message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
    try:
        setattr(message, field.name, value)
    except TypeError:
        raise TypeError(f"{path} is {value!r} of type {type(value).__name__}, which is none of its values") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _set_several(message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
    target = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        target.update(value)
    elif field.message_type is not None:
        for place, each in enumerate(_several(value, path)):
            _become(target.add(), each, f"{path}[{place}]")
    elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM):
        target.extend([_scalar(field, each, path) for each in _several(value, path)])
    elif _is_array(value) or (isinstance(value, (list, tuple)) and len(value) > _LIST_LENGTH_MAX):
        from crossrate.rpc import arrays  # who has no arrays does not wait for numpy

        arrays.put(message, **{field.name: value})
    else:
        try:
            target.extend(_several(value, path))
        except TypeError as error:
            raise TypeError(f"{path}: {error}") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def _is_array(value: Any) -> bool:
    """numpy, pandas, polars, Arrow; a scalar of numpy is none."""
    return hasattr(value, "__array__") and getattr(value, "ndim", 1) != 0


def _several(value: Any, path: str) -> Iterable[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"{path} holds several values: give a list, not {value!r}")
    return value.tolist() if _is_array(value) and hasattr(value, "tolist") else value


def _become(message: Message, value: Any, path: str) -> None:
    """Makes a nested message of a value."""
    name = message.DESCRIPTOR.full_name
    message.SetInParent()
    if isinstance(value, Message):
        if value.DESCRIPTOR is not message.DESCRIPTOR:
            raise TypeError(f"{path} takes {name}, not {value.DESCRIPTOR.full_name}")
        message.CopyFrom(value)
    elif name == _TIME and not isinstance(value, Mapping):
        _become_time(message, value, path)
    elif name == _DURATION and not isinstance(value, Mapping):
        if isinstance(value, dt.timedelta):
            message.FromTimedelta(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            message.FromNanoseconds(round(value * 1e9))
        else:
            raise TypeError(f"{path} is a duration: give a timedelta or seconds, not {value!r}")
    elif name == _DATE and not isinstance(value, Mapping):
        _become_date(message, value, path)
    elif isinstance(value, Mapping):
        _fill(message, value, f"{path}.")
    else:
        raise TypeError(f"{path} takes {name}: give its fields as a dictionary, not {value!r}")


def _become_time(message: Any, value: Any, path: str) -> None:
    if type(value).__name__ == "datetime64":
        message.FromNanoseconds(int(value.astype("datetime64[ns]").astype("int64")))
        return
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{path} is {value!r}, which is no time: give it as 2026-09-30T15:00Z") from None
    if not isinstance(value, dt.datetime):
        raise TypeError(f"{path} is a time: give a datetime, not {value!r}")
    if value.tzinfo is None:
        raise ValueError(f"{path} has no time zone: give one, as datetime.now(datetime.UTC) has")
    # The nanoseconds of a pandas Timestamp are more than a datetime's.
    message.FromDatetime(value)
    message.nanos += getattr(value, "nanosecond", 0)


def _become_date(message: Any, value: Any, path: str) -> None:
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{path} is {value!r}, which is no date: give it as 2026-09-30") from None
    if not isinstance(value, dt.date):
        raise TypeError(f"{path} is a date: give one, not {value!r}")
    message.year, message.month, message.day = value.year, value.month, value.day


def _scalar(field: FieldDescriptor, value: Any, path: str) -> Any:
    if field.type == FieldDescriptor.TYPE_ENUM and isinstance(value, str):
        return enum_number(field.enum_type, value, path)
    if field.type == FieldDescriptor.TYPE_STRING:
        if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
            return _digits(value, path)
        if isinstance(value, float):
            raise TypeError(
                f"{path} is the float {value!r}, which is not exact: give Decimal('{value!r}') or '{value!r}'"
            )
        if isinstance(value, UUID):
            return str(value)
    return value


def _digits(value: Decimal | int, path: str) -> str:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{path} is {value!r}, which is no number")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def enum_number(enum: EnumDescriptor, word: str, path: str) -> int:
    """A value of an enum from its name or its word ("VAR_METHOD_PLAIN", "plain").

    Raises:
        ValueError: there is none of that word.
    """
    names = {value.name: value.number for value in enum.values}
    # By the style guide of protobuf every value's name begins with that of its enum.
    prefix = next(value.name for value in enum.values if value.number == 0).removesuffix("UNSPECIFIED")
    wanted = word.upper().replace("-", "_").replace(" ", "_")
    for name in (wanted, prefix + wanted):
        if name in names:
            return names[name]
    words = [name.removeprefix(prefix).lower() for name, number in names.items() if number]
    near = difflib.get_close_matches(word.lower(), words, 1)
    remedy = f"did you mean {near[0]}?" if near else f"give one of {', '.join(words)}"
    raise ValueError(f"{path} is {word!r}: {remedy}")


def class_of(message: Descriptor) -> type[Message]:
    """The generated class of a message."""
    return message_factory.GetMessageClass(message)
