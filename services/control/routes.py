"""Routes as Gateway API objects: a GRPCRoute in its mesh form, rendered from the contracts and read back.

A service without a route of its own has the rendered one: all its methods to its own backend. A route that replaces it
may split calls between backends by weight, choose by method or header, and shorten a method's time; it cannot lengthen
it, because the callee's proxy keeps the contract's deadline whatever a route says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossrate.basics.duration import duration, duration_s
from crossrate.rpc.contract import MethodContract

API_VERSION = "gateway.networking.k8s.io/v1"
KIND = "GRPCRoute"
MESH_PORT = 50051
"""Port of the Kubernetes Service that a backendRef names; on one machine it means nothing."""
RULES_MAX = 16
MATCHES_MAX = 8
BACKENDS_MAX = 16
HEADERS_MAX = 16
WEIGHT_MAX = 1_000_000

_HEADER = re.compile(r"^[a-z0-9-]{1,256}$")


class RouteError(ValueError):
    """A GRPCRoute cannot be used; `problems` says where and why, one entry a field."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {why}" for field, why in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """A header that a call must have: exactly this value, or a full match of a regular expression (RE2)."""

    name: str
    value: str
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Calls of one method, of one service (method None), or of all (both None), with all of some headers."""

    service: str | None = None
    method: str | None = None
    headers: tuple[HeaderMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Backend:
    """A share of the calls: `weight` of the sum of all weights of the rule."""

    name: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the calls go that one of the matches takes; `timeout_s` in seconds, None for the contract's."""

    matches: tuple[Match, ...]
    backends: tuple[Backend, ...]
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class GrpcRoute:
    """The route of one service: the first rule that matches takes a call."""

    service: str
    rules: tuple[Rule, ...]

    @property
    def backends(self) -> frozenset[str]:
        """Every backend that it names."""
        return frozenset(b.name for rule in self.rules for b in rule.backends)


def default_route(service: str, methods: Sequence[MethodContract]) -> GrpcRoute:
    """The route of a service that nothing replaces."""
    matches = tuple(Match(service=name) for name in sorted({m.service for m in methods}))
    return GrpcRoute(service, (Rule(matches, (Backend(service),)),))


def _render_match(match: Match) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if match.service is not None:
        document["method"] = {"type": "Exact", "service": match.service}
        if match.method is not None:
            document["method"]["method"] = match.method
    if match.headers:
        document["headers"] = [
            {"type": "RegularExpression" if h.is_regex else "Exact", "name": h.name, "value": h.value}
            for h in match.headers
        ]
    return document


def render(route: GrpcRoute) -> dict[str, Any]:
    """The GRPCRoute of a route, as JSON."""
    rules = []
    for rule in route.rules:
        backends = [{"kind": "Service", "name": b.name, "port": MESH_PORT, "weight": b.weight} for b in rule.backends]
        document: dict[str, Any] = {"matches": [_render_match(m) for m in rule.matches], "backendRefs": backends}
        if rule.timeout_s is not None:
            document["timeouts"] = {"request": duration(rule.timeout_s)}
        rules.append(document)
    parent = {"group": "", "kind": "Service", "name": route.service}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": route.service},
        "spec": {"parentRefs": [parent], "rules": rules},
    }


class _Reader:
    """Reads a document field by field and keeps every problem, so that all are told at once."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def wrong(self, path: str, why: str) -> None:
        self.problems.append((path, why))

    def known(self, document: Any, path: str, names: Collection[str]) -> dict[str, Any]:
        if not isinstance(document, Mapping):
            self.wrong(path, "must be an object")
            return {}
        for name in document:
            if name not in names:
                self.wrong(f"{path}.{name}" if path else name, "is not supported here")
        return dict(document)

    def items(self, document: Mapping[str, Any], name: str, path: str, count_max: int) -> list[Any]:
        value = document.get(name) or []
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.wrong(f"{path}.{name}", "must be a list")
            return []
        if len(value) > count_max:
            self.wrong(f"{path}.{name}", f"must have at most {count_max} entries")
        return list(value[:count_max])


def _read_header(reader: _Reader, document: Any, path: str) -> HeaderMatch:
    entry = reader.known(document, path, ("type", "name", "value"))
    name, value, kind = str(entry.get("name", "")).lower(), entry.get("value"), entry.get("type", "Exact")
    if not _HEADER.match(name):
        reader.wrong(f"{path}.name", "must be a header's name")
    if not isinstance(value, str) or not value or len(value) > 4096:
        reader.wrong(f"{path}.value", "must be 1 to 4096 characters")
    if kind not in ("Exact", "RegularExpression"):
        reader.wrong(f"{path}.type", "must be Exact or RegularExpression")
    return HeaderMatch(name, str(value), kind == "RegularExpression")


def _read_match(reader: _Reader, document: Any, path: str, methods: Mapping[str, Collection[str]]) -> Match:
    entry = reader.known(document, path, ("method", "headers"))
    service = method = None
    if "method" in entry:
        target = reader.known(entry["method"], f"{path}.method", ("type", "service", "method"))
        service, method = target.get("service"), target.get("method")
        if target.get("type", "Exact") != "Exact":
            reader.wrong(f"{path}.method.type", "must be Exact")
        if service not in methods:
            reader.wrong(f"{path}.method.service", f"must be one of {', '.join(sorted(methods))}")
        elif method is not None and method not in methods[service]:
            reader.wrong(f"{path}.method.method", f"{service} has no method {method!r}")
    listed = reader.items(entry, "headers", path, HEADERS_MAX)
    headers = tuple(_read_header(reader, h, f"{path}.headers[{i}]") for i, h in enumerate(listed))
    return Match(service, method, headers)


def _read_backend(reader: _Reader, document: Any, path: str, backends: Collection[str]) -> Backend:
    entry = reader.known(document, path, ("group", "kind", "name", "namespace", "port", "weight"))
    name, weight = entry.get("name"), entry.get("weight", 1)
    if name not in backends:
        reader.wrong(f"{path}.name", f"must be one of {', '.join(sorted(backends))}")
    # JSON has one kind of number, and a google.protobuf.Struct gives it back as a double.
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight != int(weight):
        reader.wrong(f"{path}.weight", "must be a whole number")
        weight = 0
    if not 0 <= weight <= WEIGHT_MAX:
        reader.wrong(f"{path}.weight", f"must be from 0 to {WEIGHT_MAX}")
    return Backend(str(name), int(weight))


def _read_rule(
    reader: _Reader, document: Any, path: str, methods: Mapping[str, Collection[str]], backends: Collection[str]
) -> Rule:
    entry = reader.known(document, path, ("name", "matches", "backendRefs", "timeouts"))
    listed = reader.items(entry, "matches", path, MATCHES_MAX)
    matches = tuple(_read_match(reader, m, f"{path}.matches[{i}]", methods) for i, m in enumerate(listed))
    listed = reader.items(entry, "backendRefs", path, BACKENDS_MAX)
    refs = tuple(_read_backend(reader, b, f"{path}.backendRefs[{i}]", backends) for i, b in enumerate(listed))
    if not refs:
        reader.wrong(f"{path}.backendRefs", "must name at least one backend")
    elif not any(b.weight for b in refs):
        reader.wrong(f"{path}.backendRefs", "at least one weight must be above 0")
    timeout_s = None
    if "timeouts" in entry:
        timeouts = reader.known(entry["timeouts"], f"{path}.timeouts", ("request",))
        try:
            timeout_s = duration_s(timeouts.get("request", ""))
            if timeout_s <= 0:
                raise ValueError("must be longer than nothing")
        except ValueError as error:
            reader.wrong(f"{path}.timeouts.request", str(error))
    return Rule(matches or (Match(),), refs, timeout_s)


def service_named(document: Mapping[str, Any]) -> str:
    """The service that a GRPCRoute is for: its one parentRef.

    Raises:
        RouteError: it has none, or more than one.
    """
    spec = document.get("spec")
    parents = spec.get("parentRefs") if isinstance(spec, Mapping) else None
    if not isinstance(parents, Sequence) or len(parents) != 1 or not isinstance(parents[0], Mapping):
        raise RouteError([("spec.parentRefs", "must have exactly one entry, the Service that is routed")])
    parent = parents[0]
    if parent.get("kind", "Service") != "Service" or not isinstance(parent.get("name"), str):
        raise RouteError([("spec.parentRefs[0]", "must name a Service")])
    return parent["name"]


def read(document: Mapping[str, Any], methods: Sequence[MethodContract], backends: Collection[str]) -> GrpcRoute:
    """The route in a GRPCRoute.

    Args:
        methods: the methods of the service that it is for.
        backends: the backends of that service.

    Raises:
        RouteError: it is not one, or names what does not exist; every problem is in the error.
    """
    service = service_named(document)
    reader = _Reader()
    reader.known(document, "", ("apiVersion", "kind", "metadata", "spec"))
    if document.get("apiVersion") != API_VERSION or document.get("kind") != KIND:
        reader.wrong("kind", f"must be {KIND} of {API_VERSION}")
    if not methods:
        reader.wrong("spec.parentRefs[0].name", f"there is no service {service!r}")
    names: dict[str, set[str]] = {}
    for method in methods:
        names.setdefault(method.service, set()).add(method.name)
    spec = reader.known(document["spec"], "spec", ("parentRefs", "hostnames", "rules"))
    listed = reader.items(spec, "rules", "spec", RULES_MAX)
    rules = tuple(_read_rule(reader, r, f"spec.rules[{i}]", names, backends) for i, r in enumerate(listed))
    if not rules:
        reader.wrong("spec.rules", "must have at least one rule")
    if reader.problems:
        raise RouteError(reader.problems)
    return GrpcRoute(service, rules)
