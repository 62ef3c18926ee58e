"""Messages as typed values: read with the checks of the session level, and written.

    @message("H")
    @dataclass(frozen=True, slots=True, kw_only=True)
    class OrderStatusRequest:
        cl_ord_id: str = required(11)
        parties: tuple[Party, ...] = group(453, Party)
        extra: Extra = ()

A field's type is that of its tag (crossrate.fix.fields). What a class does not name is kept in `extra` with its tag, in
order, and written again behind the rest. A strict decoder rejects what FIX 4.4 does not have in the message; tags
from 5000 on are the parties' own business and always kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from crossrate.fix.faults import BusinessFault, BusinessReason, Fault, RejectReason
from crossrate.fix.fields import FIELDS, LENGTHS
from crossrate.fix.message import SOH

Extra = tuple[tuple[int, bytes], ...]
"""Tags and values that a class does not name."""

MESSAGES: dict[bytes, type] = {}


def required(tag: int) -> Any:
    """A field that has to be there."""
    return dataclasses.field(metadata={"tag": tag, "required": True})


def optional(tag: int) -> Any:
    """A field that is None where it is not there."""
    return dataclasses.field(default=None, metadata={"tag": tag})


def group(tag: int, member: type, *, required: bool = False) -> Any:
    """A repeating group; `tag` counts its entries. An entry begins with the first field of `member`."""
    metadata = {"tag": tag, "member": member, "required": required}
    return dataclasses.field(metadata=metadata) if required else dataclasses.field(default=(), metadata=metadata)


class Slot:
    """One field of a class."""

    __slots__ = ("layout", "length", "name", "prefix", "read", "required", "tag", "write")

    def __init__(self, field: dataclasses.Field) -> None:
        self.name, self.tag = field.name, field.metadata["tag"]
        self.prefix = b"%d=" % self.tag
        self.required = bool(field.metadata.get("required"))
        member = field.metadata.get("member")
        self.layout: Layout | None = member.LAYOUT if member is not None else None
        if self.layout is None:
            kind = FIELDS[self.tag]
            self.read, self.write = kind.read, kind.write
        self.length = next((length for length, data in LENGTHS.items() if data == self.tag), None)


class Layout:
    """How a class stands in a message."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.fields = [Slot(field) for field in dataclasses.fields(cls) if "tag" in field.metadata]
        self.by_tag: dict[bytes, Slot | None] = {b"%d" % field.tag: field for field in self.fields}
        self.by_tag.update({b"%d" % field.length: None for field in self.fields if field.length})
        self.first = b"%d" % self.fields[0].tag if self.fields else b""
        self.required = [field for field in self.fields if field.required]
        names = [field.name for field in self.fields]
        self.values: Callable[[Any], tuple] = attrgetter(*names, "extra") if names else lambda value: (value.extra,)

    def made(self, values: dict[str, Any], extra: list[tuple[int, bytes]]) -> Any:
        """A value, if all is there that has to be."""
        for field in self.required:
            if field.name not in values:
                raise Fault(RejectReason.REQUIRED_TAG_MISSING, field.tag)
        if extra:
            values["extra"] = tuple(extra)
        return self.cls(**values)

    def written(self, value: Any, parts: list[bytes]) -> None:
        """Appends the fields of a value, encoded."""
        *values, extra = self.values(value)
        for field, each in zip(self.fields, values, strict=True):
            if each is None or each == ():
                if field.required:
                    raise ValueError(f"{self.cls.__name__}.{field.name} ({field.tag}) has to be given")
                continue
            if field.layout is not None:
                parts.append(b"%b%d\x01" % (field.prefix, len(each)))
                for entry in each:
                    field.layout.written(entry, parts)
                continue
            try:
                data = field.write(each)
            except (ValueError, TypeError, AttributeError) as error:
                raise ValueError(f"{self.cls.__name__}.{field.name} ({field.tag}): {error}") from error
            if field.length:
                parts.append(b"%d=%d\x01" % (field.length, len(data)))
            parts.append(field.prefix + data + SOH)
        for tag, data in extra:
            if SOH in data or not data or tag <= 0:
                raise ValueError(f"{self.cls.__name__}.extra ({tag}): empty, or with the delimiter (SOH) in it")
            parts.append(b"%d=%b\x01" % (tag, data))


def member(cls: type) -> type:
    """Makes a dataclass an entry of a repeating group."""
    cls.LAYOUT = Layout(cls)
    return cls


def message(kind: str) -> Callable[[type], type]:
    """Makes a dataclass a message of a type."""

    def made(cls: type) -> type:
        cls.LAYOUT, cls.KIND = Layout(cls), kind.encode()
        MESSAGES[cls.KIND] = cls
        return cls

    return made


def encode(value: Any) -> bytes:
    """The body of a message, to be given to `Session.send` with `value.KIND`.

    Raises:
        ValueError: a field is missing, or none of its type; the message names it.
    """
    if (fault := unmet(value)) is not None:
        raise ValueError(f"{type(value).__name__}: {fault}")
    parts: list[bytes] = []
    value.LAYOUT.written(value, parts)
    return b"".join(parts)


def unmet(value: Any) -> BusinessFault | None:
    """What a message lacks of what its other fields make necessary."""
    conditions = getattr(value, "lacking", None)
    missing = conditions() if conditions is not None else None
    if missing is None:
        return None
    tag, why = missing
    text = f"Conditionally required field missing: {tag}, {why}"
    reference = str(getattr(value, "cl_ord_id", "") or "")
    return BusinessFault(BusinessReason.CONDITIONALLY_REQUIRED_FIELD_MISSING, text, tag=tag, reference=reference)
