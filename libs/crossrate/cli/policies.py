"""`routes`, `authz` and `explain`: what the contract, the topology and the mesh's defaults decide, and which of them.

They read the same contract and topology as the control plane and need no running mesh.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor

from crossrate.api.policy.v1 import policy_pb2
from crossrate.cli import reach, show
from crossrate.cli.calls import contract_of
from crossrate.cli.requests import example
from crossrate.rpc.contract import REQUEST_BYTES_MAX, Idempotency, MethodContract, contracts
from crossrate.rpc.resilience import RetryLimits
from crossrate.runtime.topology import Topology

EDGE = "edge"
CLIENT = "client:"
TOPOLOGY_FILE = "mesh/topology.toml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a caller may call a method, what the contract says to it and what the topology says."""

    method: str
    caller: str
    allowed: bool
    contract: str
    topology: str


def verdict(method: MethodContract, caller: str, topology: Topology) -> Verdict:
    """What the mesh answers to a caller: a service's one word, "edge" for a client that proves nothing, or
    "client:<name>" for one of the topology's."""
    if caller == EDGE:
        anonymous = set(topology.edge.anonymous_roles)
        shared = sorted(method.roles & anonymous)
        roles = ", ".join(sorted(method.roles)) or "none"
        contract = f"roles: {roles}"
        given = f"edge.anonymous_roles: {', '.join(sorted(anonymous)) or 'none'}"
        return Verdict(method.path, "client without a proof", bool(shared), contract, given)
    if caller.startswith(CLIENT):
        name = caller.removeprefix(CLIENT)
        held = set(topology.clients[name].roles) | set(topology.edge.anonymous_roles)
        contract = f"roles: {', '.join(sorted(method.roles)) or 'none'}"
        given = f"clients.{name}.roles: {', '.join(sorted(topology.clients[name].roles))}"
        return Verdict(method.path, caller, bool(method.roles & held), contract, given)
    calls = topology.services[caller].calls
    named = caller in method.services
    connected = method.workload in calls
    contract = f"names {caller}" if named else f"does not name {caller}"
    says = f"services.{caller}.calls {'has' if connected else 'lacks'} {method.workload}"
    return Verdict(method.path, caller, named and connected, contract, says)


def verdicts(method: MethodContract, topology: Topology) -> list[Verdict]:
    """The verdict on every caller that there is: clients of the edge and every service of the topology."""
    clients = [CLIENT + name for name in topology.clients]
    callers = [EDGE, *clients, *(name for name in topology.services if name != method.workload)]
    return [verdict(method, caller, topology) for caller in callers]


def authz(name: str, *, as_json: bool) -> None:
    """Who may call a method, or all methods, and why."""
    topology = reach.topology()
    chosen = [contract_of(name)] if name else list(contracts().values())
    rows = [v for method in chosen for v in verdicts(method, topology)]
    if as_json:
        keys = ("method", "caller", "allowed", "contract", "topology")
        show.document([{key: getattr(v, key) for key in keys} for v in rows])
        return
    if name:
        show.table(
            ("caller", "may", "contract", "topology"),
            [(v.caller, _may(v.allowed), v.contract, v.topology) for v in rows],
            title=chosen[0].path[1:],
        )
        show.note(
            f"allowed = contract ({source(chosen[0])}) and topology ({TOPOLOGY_FILE}). The owner of the run folder"
        )
        show.note("is the local operator and may call everything on an instance's own socket (call --local).")
        return
    callers = [EDGE, *topology.services]
    show.table(
        ("method", *callers),
        [(f"{m.workload}.{m.name}", *(_cell(m, caller, topology) for caller in callers)) for m in chosen],
    )
    show.note("edge: a client that proves nothing. `crossrate authz METHOD` says why, and what each client may.")


def _cell(method: MethodContract, caller: str, topology: Topology) -> Any:
    if caller == method.workload:
        return show.mark("·", None)
    return _may(verdict(method, caller, topology).allowed)


def _may(allowed: bool) -> Any:
    return show.mark("yes", True) if allowed else show.mark("no", False)


def routes(*, as_json: bool) -> None:
    """Every method with its REST path."""
    every = list(contracts().values())
    if as_json:
        show.document(
            [
                {
                    "method": m.path,
                    "service": m.workload,
                    "streaming": m.streaming,
                    "rest": [{"verb": r.verb, "path": r.template} for r in m.rest],
                    "edge": bool(m.roles),
                }
                for m in every
            ]
        )
        return
    rows = [
        (
            m.workload,
            m.name + (" (stream)" if m.streaming else ""),
            "; ".join(f"{r.verb} {r.template}" for r in m.rest) if m.roles else "inside the mesh only",
        )
        for m in every
    ]
    show.table(("service", "method", "REST through the edge"), rows)


@cache
def _sources() -> dict[str, tuple[str, int, str]]:
    """For each wire path its proto file, the line of the method in it (from 1) and its comment."""
    text = (resources.files("crossrate.api") / "contracts.binpb").read_bytes()
    found = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(text).file:
        places = {tuple(place.path): place for place in file.source_code_info.location}
        for s, service in enumerate(file.service):
            for m, method in enumerate(service.method):
                place = places.get((6, s, 2, m))
                if place is not None:
                    path = f"/{file.package}.{service.name}/{method.name}"
                    found[path] = (f"proto/{file.name}", place.span[0] + 1, " ".join(place.leading_comments.split()))
    return found


def source(method: MethodContract) -> str:
    """Where a method's policy is written: file and line."""
    file, line, _ = _sources().get(method.path, (f"proto/{method.descriptor.containing_service.file.name}", 0, ""))
    return f"{file}:{line}"


def policies(method: MethodContract, topology: Topology) -> list[tuple[str, str, str]]:
    """Every policy that applies to a method: what, its value, and where it comes from."""
    here = source(method)
    options = method.descriptor.GetOptions().Extensions[policy_pb2.method]
    default = "mesh default"
    spared = "; ".join(f"{v.caller}: {v.contract}, {v.topology}" for v in verdicts(method, topology) if not v.allowed)
    allowed = ", ".join(v.caller for v in verdicts(method, topology) if v.allowed) or "nobody through the mesh"
    rest = "; ".join(f"{r.verb} {r.template}" + (f" (body {r.body})" if r.body else "") for r in method.rest)
    rows = [
        ("gRPC path", method.path, here),
        ("REST path", rest or f"none: {method.no_rest_reason}" if method.roles else "not through the edge", here),
        ("callers", allowed, f"{here} × {TOPOLOGY_FILE}"),
        ("refused", spared or "nobody", f"{here} × {TOPOLOGY_FILE}"),
        ("identity", topology.identity(method.workload), f"{TOPOLOGY_FILE} trust_domain"),
        ("deadline", f"{method.deadline_s:g} s; less if the caller has less", here),
    ]
    if method.stream_idle_timeout_s is not None:
        rows.append(("silence", f"closed after {method.stream_idle_timeout_s:g} s without a message", here))
    rows += [
        ("repetition", _repetition(method), f"{here} idempotency_level"),
        ("cost", f"{method.cost} tokens of the caller's rate limit", here),
        (
            "request size",
            f"{method.request_bytes_max} bytes at most",
            here if options.max_request_bytes else f"{default} {REQUEST_BYTES_MAX} bytes",
        ),
        ("side effects", method.side_effects.replace("_", " ").lower(), here),
        (
            "lane",
            "reserved: not shed under overload" if method.reserved_lane else "normal",
            here if options.priority else default,
        ),
    ]
    if (service := topology.services.get(method.workload)) is not None:
        where = f"{TOPOLOGY_FILE} services.{method.workload}"
        waits = f"; half of them by the edge, where {service.waiting_max} wait" if service.waiting_max else ""
        rows.append(("concurrency", f"{service.concurrency_max} calls an instance{waits}", where))
    if method.sticky_field:
        rows.append(("stickiness", f"calls with the same {method.sticky_field} share a backend", here))
    return [*rows, *_client_policies(method, topology, here), *_field_policies(method)]


def _client_policies(method: MethodContract, topology: Topology, here: str) -> list[tuple[str, str, str]]:
    """What a client of the edge needs beside a role."""
    rows = []
    if method.step_up:
        age = f" within {topology.tokens.step_up_max_age_s} s" if topology.tokens else ""
        spared = f"; none with {method.step_up_spares}" if method.step_up_spares else ""
        rows.append(("second factor", f"one proved{age}{spared}", here))
    for kind in ("account", "instrument", "desk"):
        if fields := getattr(method, f"{kind}_fields"):
            rows.append(("grants", f"of each {kind} named in {', '.join(fields)}", here))
    return rows


def _repetition(method: MethodContract) -> str:
    limits = RetryLimits()
    often = f"up to {limits.attempts_max} attempts on UNAVAILABLE, pauses to {limits.pause_s_max:g} s with full jitter"
    if method.idempotency is Idempotency.NO_SIDE_EFFECTS:
        return often
    if method.idempotency is Idempotency.IDEMPOTENT:
        return f"{often}, only with a requestId"
    return "never: a repeated call could be applied twice"


def _field_policies(method: MethodContract) -> list[tuple[str, str, str]]:
    from buf.validate import validate_pb2

    rows = []
    file = f"proto/{method.input.file.name}"
    for field in method.input.fields:
        if field.GetOptions().HasExtension(validate_pb2.field):
            rules = field.GetOptions().Extensions[validate_pb2.field]
            rows.append((f"rule: {field.json_name}", " ".join(str(rules).split()), f"{file} buf.validate"))
    for message in (method.input, method.output):
        for field in message.fields:
            redaction = field.GetOptions().Extensions[policy_pb2.field].redaction
            if redaction > policy_pb2.REDACTION_NONE:
                word = policy_pb2.Redaction.Name(redaction).removeprefix("REDACTION_").lower()
                rows.append((f"redaction: {field.json_name}", word, f"proto/{message.file.name}"))
    return rows


def explain(name: str, *, as_json: bool) -> None:
    """Every policy of a method and where it comes from."""
    method = contract_of(name)
    rows = policies(method, reach.topology())
    comment = _sources().get(method.path, ("", 0, ""))[2]
    if as_json:
        listed = [{"policy": what, "value": value, "source": where} for what, value, where in rows]
        show.document({"method": method.path, "comment": comment, "policies": listed, "request": _fields(method)})
        return
    file = source(method)
    show.console().print(comment)
    shown = [
        (what, value, where.replace(file, "contract").replace(file.split(":")[0], "contract"))
        for what, value, where in rows
    ]
    show.table(("policy", "value", "from"), shown)
    show.console().print(f"contract: {file}", markup=False)
    kind = "--local control-1 " if method.workload == "control" else ""
    show.console().print(f"Try: crossrate call {kind}{method.name} '{example(method.input)}'", markup=False)


def _fields(method: MethodContract) -> dict[str, str]:
    def kind(field: FieldDescriptor) -> str:
        inner = field.message_type or field.enum_type
        word = inner.full_name if inner is not None else _SCALARS.get(field.type, "number")
        return f"repeated {word}" if field.is_repeated else word

    return {field.json_name: kind(field) for field in method.input.fields}


_SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_BYTES: "bytes",
}
