"""The contract as the mesh reads it: every method of every service with its policy, from the descriptors alone.

One reading serves the servers, the clients, the control plane, the command line and the tests, so that none of them can
disagree about who may call a method, how long it may take or whether it may be retried.
"""

from __future__ import annotations

import enum
import functools
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor

import crossrate.api
from crossrate.api.policy.v1 import policy_pb2
from crossrate.rpc.values import seconds

REQUEST_BYTES_MAX = 1 << 20
"""Largest request of a method whose policy names no size."""


class ContractError(Exception):
    """A contract breaks a rule of the house; the message names the method or field and the remedy."""


class Idempotency(enum.Enum):
    """What repeating a call does, from the method's idempotency_level."""

    NO_SIDE_EFFECTS = "no side effects"
    IDEMPOTENT = "idempotent"
    NOT_IDEMPOTENT = "not idempotent"


@dataclass(frozen=True, slots=True)
class RestBinding:
    """One REST path of a method: verb in capitals, template as in google.api.http, body "*", a field name or ""."""

    verb: str
    template: str
    body: str


@dataclass(frozen=True, slots=True)
class MethodContract:
    """One method and everything that its contract decides.

    `path` is the wire name with its leading slash. Durations are seconds; `stream_idle_timeout_s` is None for unary
    methods. `workload` is the service's one word, as in the topology.
    """

    path: str
    service: str
    name: str
    workload: str
    descriptor: MethodDescriptor
    client_streaming: bool
    server_streaming: bool
    roles: frozenset[str]
    services: frozenset[str]
    deadline_s: float
    stream_idle_timeout_s: float | None
    idempotency: Idempotency
    cost: int
    sticky_field: str
    side_effects: str
    reserved_lane: bool
    request_bytes_max: int
    no_rest_reason: str
    rest: tuple[RestBinding, ...]
    account_fields: tuple[str, ...] = ()
    instrument_fields: tuple[str, ...] = ()
    desk_fields: tuple[str, ...] = ()
    step_up: bool = False
    step_up_unless: tuple[str, int] | None = None
    """Path of an enum field of the request, and its number with which no second factor is asked for."""

    @property
    def streaming(self) -> bool:
        """Whether either side sends more than one message."""
        return self.client_streaming or self.server_streaming

    @property
    def step_up_spares(self) -> str:
        """With what a request needs no second factor although others do: "state=VENUE_STATE_DISABLED"; or ""."""
        if self.step_up_unless is None:
            return ""
        field, number = self.step_up_unless
        return f"{field}={self.input.fields_by_name[field].enum_type.values_by_number[number].name}"

    @property
    def retryable(self) -> bool:
        """Whether a call may be repeated after it may have reached the server."""
        return self.idempotency is not Idempotency.NOT_IDEMPOTENT

    @property
    def input(self) -> Descriptor:
        """Descriptor of the request message."""
        return self.descriptor.input_type

    @property
    def output(self) -> Descriptor:
        """Descriptor of the answer message."""
        return self.descriptor.output_type


FIXED_WIDTH = frozenset(
    {
        FieldDescriptor.TYPE_DOUBLE,
        FieldDescriptor.TYPE_FLOAT,
        FieldDescriptor.TYPE_FIXED32,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED32,
        FieldDescriptor.TYPE_SFIXED64,
    }
)
"""The types of numbers that are as wide on the wire as in memory; several of them are an array, see `arrays`."""


def holds_arrays(message: Descriptor) -> bool:
    """Whether the message, or one inside it, has a repeated field of FIXED_WIDTH."""
    return _holds_arrays(message, set())


def _holds_arrays(message: Descriptor, seen: set[str]) -> bool:
    if message.full_name in seen:
        return False
    seen.add(message.full_name)
    return any(
        (field.is_repeated and field.type in FIXED_WIDTH)
        or (field.message_type is not None and _holds_arrays(field.message_type, seen))
        for field in message.fields
    )


def workload_of(package: str) -> str:
    """The service's one word in a package name: crossrate.api.<word>.v1."""
    return package.removeprefix("crossrate.api.").split(".")[0]


_IDEMPOTENCY = {
    descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS: Idempotency.NO_SIDE_EFFECTS,
    descriptor_pb2.MethodOptions.IDEMPOTENT: Idempotency.IDEMPOTENT,
    descriptor_pb2.MethodOptions.IDEMPOTENCY_UNKNOWN: Idempotency.NOT_IDEMPOTENT,
}


def _rest_bindings(rule) -> Iterable[RestBinding]:
    for http in (rule, *rule.additional_bindings):
        verb = http.WhichOneof("pattern")
        if verb == "custom":
            yield RestBinding(http.custom.kind.upper(), http.custom.path, http.body)
        elif verb:
            yield RestBinding(verb.upper(), getattr(http, verb), http.body)


def read_method(method: MethodDescriptor) -> MethodContract:
    """The contract of one method.

    Raises:
        ContractError: a rule of the house is broken; every broken rule of the method is in the message.
    """
    options = method.GetOptions()
    service = method.containing_service.full_name
    path = f"/{service}/{method.name}"
    if not options.HasExtension(policy_pb2.method):
        raise ContractError(f"{path} has no policy: add `option (crossrate.api.policy.v1.method)`")
    policy = options.Extensions[policy_pb2.method]
    rest = tuple(_rest_bindings(options.Extensions[annotations_pb2.http]))
    bidirectional = method.client_streaming and method.server_streaming
    idempotency = _IDEMPOTENCY[options.idempotency_level]
    effects = policy_pb2.SideEffects.Name(policy.side_effects).removeprefix("SIDE_EFFECTS_")
    streaming = method.client_streaming or method.server_streaming
    rules = {
        "states no idempotency_level": not options.HasField("idempotency_level"),
        "names nobody who may call it: give roles or services": not policy.roles and not policy.services,
        "names ROLE_UNSPECIFIED": 0 in policy.roles,
        "has no deadline": seconds(policy.deadline) <= 0,
        "has no cost": policy.cost < 1,
        "does not state its side effects": policy.side_effects == 0,
        "has side effects but claims NO_SIDE_EFFECTS (or the reverse)": (effects == "NONE")
        != (idempotency is Idempotency.NO_SIDE_EFFECTS),
        "is VALIDATE_ONLY but its request has no bool validate_only": effects == "VALIDATE_ONLY"
        and "validate_only" not in method.input_type.fields_by_name,
        "writes but its request has no request_id": idempotency is Idempotency.IDEMPOTENT
        and not method.client_streaming
        and "request_id" not in method.input_type.fields_by_name,
        "has no google.api.http path": not rest and not bidirectional,
        "is bidirectional and states no no_rest_reason": bidirectional and not policy.no_rest_reason,
        "has both a REST path and a reason for having none": bool(rest and policy.no_rest_reason),
        "streams but has no stream_idle_timeout": streaming and not policy.HasField("stream_idle_timeout"),
        "has a sticky_field that its request does not have": not _has_path(method.input_type, policy.sticky_field),
        **_rules_of_grants(method.input_type, policy),
    }
    broken = [rule for rule, is_broken in rules.items() if is_broken]
    if broken:
        raise ContractError("\n".join(f"{path} {rule}" for rule in broken))
    return MethodContract(
        path=path,
        service=service,
        name=method.name,
        workload=workload_of(method.containing_service.file.package),
        descriptor=method,
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        roles=frozenset(policy_pb2.Role.Name(r).removeprefix("ROLE_").lower() for r in policy.roles),
        services=frozenset(policy.services),
        deadline_s=seconds(policy.deadline),
        stream_idle_timeout_s=seconds(policy.stream_idle_timeout) if streaming else None,
        idempotency=idempotency,
        cost=policy.cost,
        sticky_field=policy.sticky_field,
        side_effects=effects,
        reserved_lane=policy.priority == policy_pb2.PRIORITY_RESERVED,
        request_bytes_max=policy.max_request_bytes or REQUEST_BYTES_MAX,
        no_rest_reason=policy.no_rest_reason,
        rest=rest,
        account_fields=tuple(policy.account_fields),
        instrument_fields=tuple(policy.instrument_fields),
        desk_fields=tuple(policy.desk_fields),
        step_up=policy.step_up,
        step_up_unless=_exemption(method.input_type, policy.step_up_unless),
    )


def _rules_of_grants(message: Descriptor, policy: policy_pb2.MethodPolicy) -> dict[str, bool]:
    """Rules on what a client has to be granted, and whether each is broken."""
    fields = (*policy.account_fields, *policy.instrument_fields, *policy.desk_fields)
    named = set(_account_paths(message)) if policy.roles else set()
    unguarded = sorted(named - {*policy.account_fields})
    return {
        "names accounts, instruments or desks in fields that are no strings of its request": not all(
            _is_string(message, path) for path in fields
        ),
        f"leaves accounts unguarded: account_fields lack {', '.join(unguarded)}": bool(unguarded),
        "asks for a second factor, and nobody may call it through the edge": policy.step_up and not policy.roles,
        "has a step_up_unless that is no value of an enum of its request, or no step_up beside it": bool(
            policy.step_up_unless
        )
        and not (policy.step_up and _exemption(message, policy.step_up_unless)),
    }


def _exemption(message: Descriptor, written: str) -> tuple[str, int] | None:
    """What `step_up_unless` says ("state=VENUE_STATE_DISABLED"); None for nothing. UNSPECIFIED exempts nobody."""
    path, _, name = written.partition("=")
    field = field_at(message, path)
    value = field.enum_type.values_by_name.get(name) if field is not None and field.enum_type is not None else None
    return (path, value.number) if value is not None and value.number and "." not in path else None


def field_at(message: Descriptor | None, path: str) -> FieldDescriptor | None:
    """The field at a path ("order.account"), None if there is none."""
    field = None
    for name in path.split("."):
        field = message.fields_by_name.get(name) if message is not None else None
        if field is None:
            return None
        message = field.message_type
    return field


def _has_path(message: Descriptor, path: str) -> bool:
    return not path or field_at(message, path) is not None


def _is_string(message: Descriptor, path: str) -> bool:
    field = field_at(message, path)
    return field is not None and field.type == FieldDescriptor.TYPE_STRING


def _account_paths(message: Descriptor, before: str = "", above: frozenset[str] = frozenset()) -> Iterable[str]:
    """The paths of all fields of a request in which an account is named."""
    for field in message.fields:
        path, inner = before + field.name, field.message_type
        if field.name == "account" and field.type == FieldDescriptor.TYPE_STRING:
            yield path
        elif inner is not None and inner.full_name not in above and not inner.GetOptions().map_entry:
            yield from _account_paths(inner, f"{path}.", above | {message.full_name})


def read_contracts(files: Iterable[FileDescriptor]) -> dict[str, MethodContract]:
    """The contracts of all methods in some files, by wire path, in order of path.

    Raises:
        ContractError: at least one method breaks a rule; the message names every one.
    """
    methods: dict[str, MethodContract] = {}
    problems: list[str] = []
    for file in files:
        for service in file.services_by_name.values():
            for method in service.methods:
                try:
                    contract = read_method(method)
                except ContractError as error:
                    problems.append(str(error))
                else:
                    methods[contract.path] = contract
    if problems:
        raise ContractError("\n".join(problems))
    return dict(sorted(methods.items()))


@functools.cache
def contracts() -> Mapping[str, MethodContract]:
    """Every method of the platform by wire path ("/crossrate.api.reference.v1.ReferenceService/GetInstrument")."""
    modules = pkgutil.walk_packages(crossrate.api.__path__, "crossrate.api.")
    names = sorted(m.name for m in modules if m.name.endswith("_service_pb2"))
    return read_contracts(import_module(name).DESCRIPTOR for name in names)


def find_method(name: str) -> MethodContract:
    """The method that a person means: a wire path, "Service/Method" or a bare method name that is unique.

    Raises:
        LookupError: no method, or more than one, has that name; the message lists the candidates.
    """
    wanted = name.strip().lstrip("/").replace("#", "/")
    every = contracts()
    if (exact := every.get("/" + wanted)) is not None:
        return exact
    found = [c for c in every.values() if ("/" + c.path.replace(".", "/").lstrip("/")).endswith("/" + wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise LookupError(f"{name!r} is ambiguous: " + ", ".join(c.path for c in found))
    near = [c.path for c in every.values() if wanted.split("/")[-1].lower() in c.path.lower()]
    hint = f"; did you mean {', '.join(near)}" if near else "; `crossrate routes` lists every method"
    raise LookupError(f"no method is called {name!r}{hint}")
