"""Calls that proxies refuse by themselves, as they tell control of them: Envoy's access log, by gRPC (ALS).

A proxy logs a call here only when its answer says UNAUTHENTICATED or PERMISSION_DENIED, in batches, and drops what
control is too slow for. What a service has refused comes by here as well and is left to the service, which knows more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossrate.api.audit.v1.audit_events_pb2 import DENIAL_PLACE_EDGE, DENIAL_PLACE_PROXY
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.denials import Denials
from crossrate.rpc.errors import ErrorReason
from crossrate.rpc.rest import Template, read_template
from crossrate.runtime.topology import Topology
from services.control.access_log import STATUS, grpc_log
from services.control.authentication import FILTER as AUTHENTICATION
from services.control.authentication import TOKEN_KEY
from services.control.state import EDGE

FLUSH_S = 1.0
NO_TOKEN = "Jwt_is_missing"
GRPC_STATUSES = ("UNAUTHENTICATED", "PERMISSION_DENIED")
HTTP_STATUSES = (401, 403)
FAILED_FLAGS = ("FI", "DI", "UH", "UF", "UC", "NR", "URX", "UT", "DT", "UMSDR")
"""What Envoy says of calls with which something went wrong on the way: a fault for a drill, nobody there, a connection
lost, no route, every attempt failed, too late. Calls that are too many (RL, UO) are not told: their answer says so, and
a flood of them must cost nothing."""
_STATUS = {"additional_response_headers_to_log": [STATUS], "additional_response_trailers_to_log": [STATUS]}


def access_log(listener: str) -> dict[str, Any]:
    """What a listener's connection manager logs to control: calls whose answer says that the caller was refused."""
    refused: list[dict[str, Any]] = [{"grpc_status_filter": {"statuses": list(GRPC_STATUSES)}}]
    for status in HTTP_STATUSES:
        value = {"default_value": status, "runtime_key": "crossrate.never_set"}
        refused.append({"status_code_filter": {"comparison": {"op": "EQ", "value": value}}})
    return grpc_log(listener, FLUSH_S, {"or_filter": {"filters": [*refused, _failed()]}}, **_STATUS)


def failure_log(listener: str) -> dict[str, Any]:
    """What a service's way out logs: calls that it could bring to nobody."""
    return grpc_log(listener, FLUSH_S, _failed(), **_STATUS)


def _failed() -> dict[str, Any]:
    return {"response_flag_filter": {"flags": list(FAILED_FLAGS)}}


class Paths:
    """Which method a path of the edge is of, REST or gRPC."""

    def __init__(self, contracts: Mapping[str, MethodContract]) -> None:
        self._methods = frozenset(contracts)
        self._rest: dict[tuple[str, int], list[tuple[Template, str]]] = {}
        self._open: list[tuple[str, Template, str]] = []
        for path, contract in contracts.items():
            for binding in contract.rest:
                template = read_template(binding.template)
                if template.is_open:
                    self._open.append((binding.verb, template, path))
                else:
                    self._rest.setdefault((binding.verb, len(template.segments)), []).append((template, path))

    def method(self, verb: str, path: str) -> str:
        """A method's name without the slash before it; "" if the path is none's."""
        path = path.partition("?")[0]
        if path in self._methods:
            return path[1:]
        head, colon, custom = path.rpartition(":")
        for segments in (tuple((head + "/" + custom)[1:].split("/")) if colon else (), tuple(path[1:].split("/"))):
            for template, found in self._rest.get((verb, len(segments)), ()):
                if _fits(template, segments):
                    return found[1:]
            for open_verb, template, found in self._open:
                if verb == open_verb and _fits(template, segments[: len(template.segments)]):
                    return found[1:]
        return ""


def _fits(template: Template, segments: tuple[str, ...]) -> bool:
    if len(segments) != len(template.segments):
        return False
    return all(a in ("*", b) for a, b in zip(template.segments, segments, strict=True))


class ProxyDenials:
    """What proxies have refused.

    Args:
        denials: where they are counted.
    """

    def __init__(self, denials: Denials, contracts: Mapping[str, MethodContract], topology: Topology) -> None:
        self._denials = denials
        self._paths = Paths(contracts)
        self._identity = f"spiffe://{topology.trust_domain}/"

    def take(self, listener: str, entry: Any) -> None:
        """Counts one call, if it is the proxy that refused it."""
        reason = _reason(entry.response.response_code_details)
        if reason is None:
            return
        common, request = entry.common_properties, entry.request
        place = DENIAL_PLACE_EDGE if listener == EDGE else DENIAL_PLACE_PROXY
        self._denials.note(
            self.method_of(request), self.actor_of(common), reason, place, common.start_time.ToNanoseconds()
        )

    def method_of(self, request: Any) -> str:
        """The method's name of a request; "" if its path is none's."""
        field = request.DESCRIPTOR.fields_by_name["request_method"]
        verb = field.enum_type.values_by_number[request.request_method].name
        return self._paths.method(verb, request.path) or self._paths.method(verb, request.original_path)

    def actor_of(self, common: Any) -> str:
        """As a service would call it: "user:…" or "machine:…" by a token, "client:…" or a service's word by a
        certificate."""
        known = common.metadata.filter_metadata
        if AUTHENTICATION in known and TOKEN_KEY in known[AUTHENTICATION].fields:
            claims = known[AUTHENTICATION].fields[TOKEN_KEY].struct_value.fields
            if "sub" in claims:
                subject = claims["sub"].string_value
                is_machine = "client_id" in claims and claims["client_id"].string_value == subject
                return f"{'machine' if is_machine else 'user'}:{subject}"
        for name in common.tls_properties.peer_certificate_properties.subject_alt_name:
            if name.uri.startswith(self._identity):
                kind, slash, word = name.uri.removeprefix(self._identity).rpartition("/")
                return f"{kind}:{word}" if slash else word
        return ""


def _reason(details: str) -> ErrorReason | None:
    """Why a proxy refused a call, by its own words; None if it did not."""
    if details.startswith("jwt_authn_access_denied"):
        return ErrorReason.NO_IDENTITY if NO_TOKEN in details else ErrorReason.TOKEN_REFUSED
    return ErrorReason.CALLER_NOT_ALLOWED if details.startswith("rbac_access_denied") else None
