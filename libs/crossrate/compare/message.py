"""Two messages of one type, compared field by field.

Bytes that are equal are equal messages, and nothing is parsed. Else rules that were read once are walked, and only what
differs is looked at closely.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from crossrate.compare.difference import Difference, Manner, shortened
from crossrate.compare.rules import ANY, IGNORED_TYPES, TIMES, Bound, FieldRule, Kind, MessageRules, Shape, rules_of
from crossrate.compare.values import HIDDEN, apart, arrays_apart, numbers_apart, text_of

DIFFERENCES_MAX = 1000
"""Differences of one pair of messages that are told; two versions that agree in nothing are told apart by fewer."""

PipOf = Callable[[str], float | None]
"""The pip of an instrument by its name ("EUR/USD" is 0.0001); None if there is no such instrument."""


class _Full(Exception):
    """Enough differences."""


class Comparator:
    """Compares messages of any contract; it keeps their rules, and nothing of the messages.

    Args:
        pip_of: pips of instruments. Where it says None, a tolerance in pips is none.
    """

    def __init__(self, pip_of: PipOf) -> None:
        self._pip_of = pip_of
        self._rules: dict[tuple[str, Bound | None], MessageRules] = {}

    def compare_bytes(
        self, kind: type[Message], stable: bytes, candidate: bytes, instrument: str = ""
    ) -> list[Difference]:
        """Compares two answers as they came from the wire.

        Args:
            kind: the generated class of both.
            stable: stable's answer.
            candidate: the candidate's.
            instrument: the pair that the request names, for answers that do not.

        Returns:
            The differences in the order of the contract, at most DIFFERENCES_MAX; none if equal within tolerance.

        Raises:
            ValueError: stable's answer is no such message. If only the candidate's is not, that is a difference.
        """
        if stable == candidate:
            return []
        try:
            first = kind.FromString(stable)
        except DecodeError as error:
            raise ValueError(f"stable's answer is no {kind.DESCRIPTOR.full_name}: {error}") from error
        try:
            second = kind.FromString(candidate)
        except DecodeError:
            name = kind.DESCRIPTOR.full_name
            return [Difference("", "", Manner.VALUE, name, "bytes that are no such message", math.inf)]
        return self._walked(first, second, instrument)

    def compare(self, stable: Message, candidate: Message, instrument: str = "") -> list[Difference]:
        """Compares two messages of one type; see compare_bytes.

        Raises:
            TypeError: they are of different types.
        """
        if stable.DESCRIPTOR.full_name != candidate.DESCRIPTOR.full_name:
            raise TypeError(f"cannot compare {stable.DESCRIPTOR.full_name} with {candidate.DESCRIPTOR.full_name}")
        return self._walked(stable, candidate, instrument)

    def _walked(self, stable: Message, candidate: Message, instrument: str) -> list[Difference]:
        walk = _Walk(self)
        pip = self._pip_of(instrument) if instrument else None
        with contextlib.suppress(_Full):
            walk.message(stable, candidate, "", "", pip, None)
        return walk.found

    def rules(self, message: Descriptor, inherited: Bound | None) -> MessageRules:
        """The rules of a message, read once.

        Raises:
            ValueError: an option of the contract cannot hold for its field.
        """
        key = (message.full_name, inherited)
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = rules_of(message, inherited)
        return found

    def pip(self, instrument: str) -> float | None:
        """The pip of an instrument, None if it is not known."""
        return self._pip_of(instrument)


class _Walk:
    """One comparison."""

    def __init__(self, comparator: Comparator) -> None:
        self._of = comparator
        self.found: list[Difference] = []

    def add(self, path: str, field: str, manner: Manner, a: str, b: str, gap=(math.inf, None), count: int = 1) -> None:
        """Keeps a difference."""
        self.found.append(Difference(path, field, manner, shortened(a), shortened(b), gap[0], gap[1], count))
        if len(self.found) >= DIFFERENCES_MAX:
            raise _Full

    def message(self, a: Message, b: Message, path: str, field: str, pip: float | None, bound: Bound | None) -> None:
        """Two messages that are both there. `path` and `field` end with a dot, or are empty."""
        rules = self._of.rules(a.DESCRIPTOR, bound)
        if rules.names_instrument and a.instrument:
            pip = self._of.pip(a.instrument)
        for rule in rules.fields:
            if rule.secret and rule.hides:
                self.hidden(rule, a, b, path, field, pip)
                continue
            match rule.shape:
                case Shape.PLAIN:
                    x, y = getattr(a, rule.name), getattr(b, rule.name)
                    if x != y:
                        self.scalar(rule, x, y, path + rule.name, field + rule.name, pip)
                case Shape.PRESENT:
                    self.present(rule, a, b, path, field, pip)
                case Shape.REPEATED:
                    self.repeated(rule, getattr(a, rule.name), getattr(b, rule.name), path, field, pip)
                case Shape.MAP:
                    self.mapping(rule, getattr(a, rule.name), getattr(b, rule.name), path, field, pip)
        for oneof in rules.oneofs:
            x, y = a.WhichOneof(oneof.name), b.WhichOneof(oneof.name)
            if x == y:
                if x in oneof.fields:
                    chosen = oneof.fields[x]
                    show = self.hidden if chosen.secret and chosen.hides else self.present
                    show(chosen, a, b, path, field, pip)
            elif (x is None or x in oneof.fields) and (y is None or y in oneof.fields):
                name = oneof.name
                self.add(path + name, field + name, Manner.CHOICE, x or "unset", y or "unset")
        self.unknown(a, b, path, field)

    def hidden(self, rule: FieldRule, a: Message, b: Message, path: str, field: str, pip: float | None) -> None:
        """A field with values inside that nobody may see: one difference, which tells no keys either."""
        inner = _Walk(self._of)
        of = {Shape.REPEATED: inner.repeated, Shape.MAP: inner.mapping}
        with contextlib.suppress(_Full):
            if rule.shape in of:
                of[rule.shape](rule, getattr(a, rule.name), getattr(b, rule.name), path, field, pip)
            else:
                inner.present(rule, a, b, path, field, pip)
        if inner.found:
            gap = max(inner.found, key=lambda difference: difference.size)
            count = len(inner.found)
            self.add(path + rule.name, field + rule.name, Manner.VALUE, HIDDEN, HIDDEN, (gap.size, gap.relative), count)

    def scalar(self, rule: FieldRule, x, y, path: str, field: str, pip: float | None) -> None:
        """Two single values."""
        gap = apart(rule, x, y, pip)
        if gap is not None:
            self.add(path, field, Manner.VALUE, text_of(rule, x), text_of(rule, y), gap)

    def present(self, rule: FieldRule, a: Message, b: Message, path: str, field: str, pip: float | None) -> None:
        """A field that may be unset."""
        name = rule.name
        has_a, has_b = a.HasField(name), b.HasField(name)
        if not has_a and not has_b:
            return
        path, field = path + name, field + name
        if has_a and has_b:
            x, y = getattr(a, name), getattr(b, name)
            self.value(rule, x, y, path, field, pip)
        elif rule.inner is None or rule.inner.full_name not in IGNORED_TYPES:
            x, y = (_shown(rule, getattr(m, name)) if has else "unset" for m, has in ((a, has_a), (b, has_b)))
            self.add(path, field, Manner.PRESENCE, x, y)

    def value(self, rule: FieldRule, x, y, path: str, field: str, pip: float | None) -> None:
        """Two values of a kind, messages or scalars."""
        if x == y:
            return
        if rule.inner is None:
            self.scalar(rule, x, y, path, field, pip)
            return
        kind = rule.inner.full_name
        if kind == ANY:
            self.packed(x, y, path, field, pip)
        elif kind in TIMES:
            seconds = x.ToNanoseconds() / 1e9, y.ToNanoseconds() / 1e9
            gap = numbers_apart(*seconds, rule.bound, pip) if rule.tolerant else (math.inf, None)
            if gap is not None:
                self.add(path, field, Manner.VALUE, x.ToJsonString(), y.ToJsonString(), gap)
        elif kind not in IGNORED_TYPES:
            self.message(x, y, f"{path}.", f"{field}.", pip, rule.bound if rule.tolerant else None)

    def packed(self, x: Message, y: Message, path: str, field: str, pip: float | None) -> None:
        """Two messages in their envelopes, of types that this program may know."""
        if x.TypeName() != y.TypeName():
            self.add(path, field, Manner.CHOICE, x.type_url, y.type_url)
            return
        if x.TypeName() in IGNORED_TYPES:
            return
        try:
            made = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(x.TypeName()))
            first, second = made.FromString(x.value), made.FromString(y.value)
        except (KeyError, DecodeError):
            self.add(path, field, Manner.VALUE, f"{len(x.value)} bytes", f"{len(y.value)} other bytes")
            return
        name = x.TypeName().rpartition(".")[2]
        self.message(first, second, f"{path}({name}).", f"{field}({name}).", pip, None)

    def repeated(self, rule: FieldRule, xs: Sequence, ys: Sequence, path: str, field: str, pip: float | None) -> None:
        """A list, by key or by order."""
        if not xs and not ys:
            return
        path, field = path + rule.name, field + rule.name
        if rule.kind in (Kind.FLOAT, Kind.INTEGER):
            self.array(rule, xs, ys, path, field, pip)
        elif rule.key:
            self.keyed(rule, xs, ys, path, field, pip)
        else:
            if len(xs) != len(ys):
                self.add(path, field, Manner.LENGTH, str(len(xs)), str(len(ys)))
            for place, (x, y) in enumerate(zip(xs, ys, strict=False)):
                if x != y:
                    self.value(rule, x, y, f"{path}[{place}]", f"{field}[]", pip)

    def array(self, rule: FieldRule, xs: Sequence, ys: Sequence, path: str, field: str, pip: float | None) -> None:
        """Numbers, told as one difference with the largest of them."""
        a, b = np.asarray(xs), np.asarray(ys)
        if a.size != b.size:
            self.add(path, field, Manner.LENGTH, str(a.size), str(b.size))
            a, b = a[: b.size], b[: a.size]
        places, sizes = arrays_apart(a, b, rule.bound, pip)
        if not places.size:
            return
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            x, y = a[places].astype(np.float64), b[places].astype(np.float64)
            relative = np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))
        most = int(np.argmax(np.where(np.isfinite(relative), relative, math.inf)))
        place = int(places[most])
        gap = float(sizes[most]), float(relative[most]) if math.isfinite(relative[most]) else None
        texts = text_of(rule, a[place].item()), text_of(rule, b[place].item())
        self.add(f"{path}[{place}]", f"{field}[]", Manner.VALUE, *texts, gap, count=int(places.size))

    def keyed(self, rule: FieldRule, xs: Sequence, ys: Sequence, path: str, field: str, pip: float | None) -> None:
        """Messages that are paired by their key; of one key in their order."""
        first, second = dict(by_key(rule, xs)), dict(by_key(rule, ys))
        for key, x in first.items():
            y = second.get(key)
            place = f"{path}[{HIDDEN if rule.secret_key else key_text(key)}]"
            if y is None:
                self.add(place, f"{field}[]", Manner.MISSING, _shown(rule, x), "unset")
            else:
                self.value(rule, x, y, place, f"{field}[]", pip)
        for key, y in second.items():
            if key not in first:
                place = f"{path}[{HIDDEN if rule.secret_key else key_text(key)}]"
                self.add(place, f"{field}[]", Manner.EXTRA, "unset", _shown(rule, y))

    def mapping(self, rule: FieldRule, xs, ys, path: str, field: str, pip: float | None) -> None:
        """A map, by its own keys."""
        path, field, value = path + rule.name, f"{field}{rule.name}[]", rule.value
        for key in sorted(set(xs) | set(ys)):
            place = f"{path}[{key}]"
            if key not in ys:
                self.add(place, field, Manner.MISSING, _shown(value, xs[key]), "unset")
            elif key not in xs:
                self.add(place, field, Manner.EXTRA, "unset", _shown(value, ys[key]))
            else:
                self.value(value, xs[key], ys[key], place, field, pip)

    def unknown(self, a: Message, b: Message, path: str, field: str) -> None:
        """Fields that this contract does not have, by number."""
        first, second = UnknownFieldSet(a), UnknownFieldSet(b)
        if not len(first) and not len(second):
            return
        x, y = _unknown(first), _unknown(second)
        for number in sorted(x.keys() | y.keys()):
            if x.get(number) != y.get(number):
                texts = (f"{len(z[number])} values" if number in z else "unset" for z in (x, y))
                self.add(f"{path}#{number}", f"{field}#{number}", Manner.UNKNOWN, *texts)


def by_key(rule: FieldRule, elements: Sequence) -> Iterator[tuple[tuple, Message]]:
    """Elements of a list with a key, by that key and how often it came before."""
    seen: dict[tuple, int] = {}
    for element in elements:
        parts = (getattr(element, name) for name in rule.key)
        key = tuple(p.SerializeToString(deterministic=True) if isinstance(p, Message) else p for p in parts)
        seen[key] = seen.get(key, -1) + 1
        yield (*key, seen[key]), element


def key_text(key: tuple) -> str:
    """The key of an element in words."""
    *parts, before = key
    text = ",".join(part.hex() if isinstance(part, bytes) else str(part) for part in parts)
    return f"{text}#{before}" if before else text


def _shown(rule: FieldRule, value) -> str:
    """A value in words; of a message its type, as there may be secrets inside."""
    return f"a {rule.inner.name}" if rule.inner is not None else text_of(rule, value)


def _unknown(fields: UnknownFieldSet) -> dict[int, list]:
    """Values by number; groups are told apart by their own unknown fields."""
    found: dict[int, list] = {}
    for field in fields:
        data = sorted(_unknown(field.data).items()) if field.wire_type == 3 else field.data
        found.setdefault(field.field_number, []).append((field.wire_type, data))
    return found
