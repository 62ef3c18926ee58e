"""What holds for every contract of the platform, of this service and of those to come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import grpc
import protovalidate
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor

import crossrate.api
from crossrate.api.broker.v1 import venue_pb2
from crossrate.api.common.v1 import error_pb2
from crossrate.api.policy.v1 import policy_pb2
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.rpc.contract import ContractError, Idempotency, contracts, find_method, read_contracts
from crossrate.rpc.rest import ambiguities
from crossrate.runtime.topology import load

CONTRACTS = Path(crossrate.api.__path__[0]) / "contracts.binpb"
DESCRIBED = descriptor_pb2.FileDescriptorSet.FromString(CONTRACTS.read_bytes())
OWN = [file for file in DESCRIBED.file if file.package.startswith("crossrate.")]
METHODS = list(contracts().values())
UNIT_SUFFIXES = ("_ms", "_seconds", "_secs", "_millis")


def files() -> list[FileDescriptor]:
    """Every generated file of ours."""
    modules = walk_packages(crossrate.api.__path__, "crossrate.api.")
    return [import_module(m.name).DESCRIPTOR for m in modules if m.name.endswith("_pb2")]


def messages(of: FileDescriptor | Descriptor) -> Iterator[Descriptor]:
    """Every message, also inside others, without the entries of maps."""
    inner = of.message_types_by_name if isinstance(of, FileDescriptor) else of.nested_types_by_name
    for message in inner.values():
        if not message.GetOptions().map_entry:
            yield message
            yield from messages(message)


MESSAGES = [message for file in files() for message in messages(file)]


def reachable(message: Descriptor, seen: set[str] | None = None) -> Iterator[FieldDescriptor]:
    """Every field of a message and of the messages in it."""
    seen = set() if seen is None else seen
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from reachable(field.message_type, seen)


def test_every_method_of_every_file_has_a_contract() -> None:
    """What is generated and what contracts() reads are the same methods: none is forgotten."""
    wires = {
        f"/{file.package}.{service.name}/{method.name}"
        for file in OWN
        for service in file.service
        for method in service.method
    }
    assert wires == set(contracts())


def test_no_path_has_two_methods() -> None:
    """No REST request matches two bindings of any services."""
    assert ambiguities(contracts()) == []


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.path)
def test_a_write_can_be_repeated(method) -> None:
    """What has side effects is idempotent by a request_id that is a UUID by rule."""
    if method.side_effects == "NONE" or method.client_streaming:
        return
    assert method.idempotency is Idempotency.IDEMPOTENT
    rules = method.input.fields_by_name["request_id"].GetOptions()
    assert "uuid: true" in str(rules), f"{method.path}: request_id is not checked to be a UUID"


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.path)
def test_a_read_is_a_get_and_a_write_is_not(method) -> None:
    """Only a method without side effects may be a GET, which proxies and browsers repeat and cache."""
    verbs = {binding.verb for binding in method.rest}
    if method.side_effects != "NONE":
        assert "GET" not in verbs
    for binding in method.rest:
        assert binding.body or binding.verb in ("GET", "DELETE"), f"{method.path}: {binding.verb} without a body"
        assert not (binding.verb == "GET" and binding.body)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.path)
def test_paths_bind_fields_that_are_there(method) -> None:
    """Each variable of a REST path is a scalar of the request that may not be empty."""
    for binding in method.rest:
        for path in re.findall(r"\{([^}=]+)", binding.template):
            message = method.input
            *parents, last = path.split(".")
            for name in parents:
                message = message.fields_by_name[name].message_type
            field = message.fields_by_name[last]
            assert field.message_type is None
            assert not field.is_repeated
            request = message_factory.GetMessageClass(method.input)()
            refused = {v.proto.field.elements[0].field_name for v in protovalidate.collect_violations(request)}
            assert path.split(".")[0] in refused, f"{method.path} does not refuse an empty {path}"


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.path)
def test_a_page_is_bounded(method) -> None:
    """A page_size has an upper bound by rule."""
    field = method.input.fields_by_name.get("page_size")
    if field is not None:
        assert "lte" in str(field.GetOptions()), f"{method.path}: page_size has no upper bound"


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.path)
def test_texts_and_lists_of_requests_are_bounded(method) -> None:
    """Each text and each list that a client sends has a bound by rule: a length, a pattern, a format or a list."""
    for field in reachable(method.input):
        if not field.full_name.startswith("crossrate."):
            continue
        rules = str(field.GetOptions())
        if field.is_repeated:
            assert re.search(r"max_(items|pairs)", rules), f"{field.full_name} has no max_items"
        elif field.type == FieldDescriptor.TYPE_STRING:
            assert re.search(r"max_len|pattern|uuid|in:|const", rules), f"{field.full_name} has no bound"


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.path)
def test_a_stream_carries_its_position(method) -> None:
    """Each message of a stream that clients read has a place to resume from, and can end and fail in words."""
    if not method.server_streaming or not method.roles or method.workload == "control":
        return
    fields = method.output.fields_by_name
    assert fields["position"].message_type.full_name == "crossrate.api.common.v1.StreamPosition"
    assert {"heartbeat", "error", "end"} <= set(fields)
    begins = method.input.fields_by_name["logon"].message_type if method.client_streaming else method.input
    assert {"resume_cursor", "after_sequence"} & set(begins.fields_by_name)


def test_services_that_may_call_are_words() -> None:
    """Callers are named by their one word, and the topology's calls are all allowed by some method."""
    for method in METHODS:
        assert all(word.isalpha() and word.islower() for word in method.services), method.path
    topology = load()
    for name, service in topology.services.items():
        for callee in service.calls:
            allowed = [m for m in METHODS if m.workload == callee and name in m.services]
            assert allowed, f"{name} calls {callee} by the topology, but no method of {callee} lets it"


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.full_name)
def test_validation_rules_compile(message: Descriptor) -> None:
    """protovalidate accepts the rules of every message, so that a broken rule fails here and not in a call."""
    protovalidate.collect_violations(message_factory.GetMessageClass(message)())


def test_enums_begin_with_unspecified_and_are_refused_on_input() -> None:
    """Zero means "not said", has the name that says so, and no request may carry it."""
    for file in files():
        for enum in file.enum_types_by_name.values():
            assert enum.values[0].number == 0
            assert enum.values[0].name.endswith("_UNSPECIFIED"), enum.full_name
    for method in METHODS:
        for field in reachable(method.input):
            if field.enum_type is not None and field.full_name.startswith("crossrate."):
                rules = str(field.GetOptions())
                assert "not_in: 0" in rules, f"{field.full_name} accepts {field.enum_type.values[0].name}"
                assert "defined_only: true" in rules, f"{field.full_name} accepts numbers without a name"


def comments_of(file: descriptor_pb2.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """Leading comments by path."""
    return {tuple(place.path): place.leading_comments.strip() for place in file.source_code_info.location}


def walk(message: descriptor_pb2.DescriptorProto, path: tuple[int, ...], name: str) -> Iterator[tuple[str, tuple]]:
    """Name and path of a message and of everything in it."""
    yield name, path
    for number, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*path, 2, number)
    for number, oneof in enumerate(message.oneof_decl):
        if not oneof.name.startswith("_"):
            yield f"{name}.{oneof.name}", (*path, 8, number)
    for number, inner in enumerate(message.nested_type):
        if not inner.options.map_entry:
            yield from walk(inner, (*path, 3, number), f"{name}.{inner.name}")
    for number, enum in enumerate(message.enum_type):
        yield from walk_enum(enum, (*path, 4, number), name)


def walk_enum(enum: descriptor_pb2.EnumDescriptorProto, path: tuple[int, ...], scope: str) -> Iterator:
    """Name and path of an enum and its values."""
    yield f"{scope}.{enum.name}", path
    for number, value in enumerate(enum.value):
        yield f"{scope}.{enum.name}.{value.name}", (*path, 2, number)


@pytest.mark.parametrize("file", OWN, ids=lambda f: f.name)
def test_everything_is_described(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Each message, field, enum, value, service and method has a comment that is a sentence."""
    comments = comments_of(file)
    named: list[tuple[str, tuple]] = []
    for number, message in enumerate(file.message_type):
        named += walk(message, (4, number), message.name)
    for number, enum in enumerate(file.enum_type):
        named += walk_enum(enum, (5, number), file.package)
    for number, service in enumerate(file.service):
        named.append((service.name, (6, number)))
        named += [(f"{service.name}.{m.name}", (6, number, 2, k)) for k, m in enumerate(service.method)]
    for name, path in named:
        comment = comments.get(path, "")
        assert comment, f"{file.name}: {name} has no comment"
        assert comment.endswith((".", "?", ")")), f"{file.name}: the comment of {name} is no sentence: {comment!r}"


def test_reasons_of_errors_name_their_code_and_metadata() -> None:
    """Each reason's comment begins with a gRPC code and may end with the keys of its metadata, in a form to be read."""
    (file,) = [f for f in OWN if f.name.endswith("common/v1/error.proto")]
    comments = comments_of(file)
    codes = {code.name for code in grpc.StatusCode}
    for number, value in enumerate(file.enum_type[0].value):
        if value.number == 0:
            continue
        comment = " ".join(comments[(5, 0, 2, number)].split())
        code, _, rest = comment.partition(". ")
        assert code in codes, f"{value.name} begins with {code!r}, which is no code of gRPC"
        listed = re.search(r"Metadata: ([a-z_, ]+)\.$", rest)
        assert listed or "Metadata" not in rest, f"{value.name} lists its metadata in another form: {rest!r}"
    assert error_pb2.ErrorReason.DESCRIPTOR.values[0].name == "ERROR_REASON_UNSPECIFIED"


def test_units_are_types_where_protobuf_has_one() -> None:
    """A duration is a google.protobuf.Duration and a moment a Timestamp, never a number with the unit in its name."""
    for message in MESSAGES:
        for field in message.fields:
            assert not field.name.endswith(UNIT_SUFFIXES), f"{field.full_name} should be a Duration"
            if field.name.endswith("_time"):
                assert field.message_type is not None, f"{field.full_name} should be a Timestamp"


STEPPED_UP = {
    "ledger": {
        "Deposit",
        "Withdraw",
        "ProposeCorrection",
        "ApproveCorrection",
        "AllocateBlock",
        "RollDay",
        "OpenAccount",
        "ChangeAccount",
        "SetDeskMargin",
    },
    "risk": {"ProposeLimits", "ApproveLimits", "ProposeResume", "ApproveResume"},
    "broker": {"ProposeCorrection", "ApproveCorrection", "SetVenueState"},
    "reference": {"SetInstrumentStatus"},
    "control": {"SetConfig"},
}


def test_what_moves_money_or_changes_a_limit_asks_for_a_second_factor() -> None:
    """Deposits, corrections, margin levels, limits and what a kill, a venue or an instrument is let go by."""
    asking: dict[str, set[str]] = {}
    for contract in contracts().values():
        if contract.step_up:
            asking.setdefault(contract.workload, set()).add(contract.name)
    for service, methods in STEPPED_UP.items():
        assert methods <= asking[service], methods - asking[service]


def test_what_stops_trading_asks_for_no_second_factor() -> None:
    """Kills, leases that lapse, cancels; of the methods that stop and let go, the one value that stops."""
    exempt = {c.name: c.step_up_unless for c in contracts().values() if c.step_up_unless is not None}
    assert exempt == {
        "SetVenueState": ("state", venue_pb2.VENUE_STATE_DISABLED),
        "SetInstrumentStatus": ("status", instrument_pb2.INSTRUMENT_STATUS_HALTED),
    }
    for name in ("Engage", "RegisterLease", "CancelOrder", "CancelAll", "PauseRelease", "AbortRelease"):
        assert not find_method(name).step_up


@pytest.mark.parametrize(
    "written", ["state", "state=", "state=3", "state=VENUE_STATE_UNSPECIFIED", "venue=VENUE_STATE_DISABLED", "a.b=c"]
)
def test_only_a_value_of_an_enum_of_the_request_lets_a_call_go_without_the_factor(written: str) -> None:
    """Anything else breaks the build, as does an exemption from what is not asked for."""
    told = descriptor_pb2.FileDescriptorProto()
    find_method("SetVenueState").input.file.CopyToProto(told)
    policy = next(m for m in told.service[0].method if m.name == "SetVenueState").options.Extensions[policy_pb2.method]

    def judged() -> None:
        pool = descriptor_pool.DescriptorPool()
        seen: set[str] = set()

        def add(name: str) -> None:
            if name in seen:
                return
            seen.add(name)
            file = descriptor_pool.Default().FindFileByName(name)
            for dependency in file.dependencies:
                add(dependency.name)
            made = descriptor_pb2.FileDescriptorProto()
            file.CopyToProto(made)
            pool.Add(told if name == told.name else made)

        add(told.name)
        read_contracts([pool.FindFileByName(told.name)])

    judged()
    policy.step_up = False
    with pytest.raises(ContractError, match="SetVenueState has a step_up_unless"):
        judged()
    policy.step_up, policy.step_up_unless = True, written
    with pytest.raises(ContractError, match="SetVenueState has a step_up_unless"):
        judged()
