"""Who calls, as the edge finds out: access tokens by identity's keys, clients of the mesh by their certificates.

    Authorization: Bearer …   a token is verified here, taken off, and its payload handed on
    a client's certificate    was verified by TLS; its name and its digest are handed on
    neither                   401, but on paths that are open to everybody

A token that is not good is refused and never taken for none. Both filters run before anything reads a body.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crossrate.rpc.caller import CLIENT_HEADER
from crossrate.rpc.tokens import FINGERPRINT_HEADER, SKEW_S, TOKEN_HEADER
from crossrate.runtime.topology import AccessTokens, Topology
from services.control.clusters import mesh_name
from services.control.envoy_api import extension
from services.control.state import EDGE

FILTER = "envoy.filters.http.jwt_authn"
PROVIDER = "mesh"
TOKEN_KEY = "token"
"""Under which the claims stand in the filter's metadata."""
HEADER_KEY = "header"
ACCESS_TOKEN = "at+jwt"
"""The type that an access token's header names (RFC 9068, section 2.1): an ID token is none."""
CACHED_MAX = 4096
"""Tokens whose signature is not checked again, a worker."""
TOKEN_BYTES_MAX = 4096
"""Largest token that is remembered; headers of all kinds are bounded by the listener."""
FETCH_TIMEOUT = "2s"
REFETCH = "1s"
"""When the keys are asked for again that could not be had."""

_JWT = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_EARLY_MUTATION = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
_REPLACED = "OVERWRITE_IF_EXISTS_OR_ADD"


def early_headers(stripped: Iterable[str]) -> dict[str, Any]:
    """Takes away what clients may not say, by the beginnings of headers' names, then says what TLS has proved."""
    mutations: list[dict[str, Any]] = [
        {"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}} for prefix in stripped
    ]
    for header, value in (
        (CLIENT_HEADER, "%DOWNSTREAM_PEER_URI_SAN%"),
        (FINGERPRINT_HEADER, "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
    ):
        mutations.append({"append": {"header": {"key": header, "value": value}, "append_action": _REPLACED}})
    return extension("envoy.http.early_header_mutation.header_mutation", _EARLY_MUTATION, {"mutations": mutations})


def _provider(terms: AccessTokens, topology: Topology, edge_port: int) -> dict[str, Any]:
    keys = {
        "uri": f"https://{terms.service}.{topology.trust_domain}{terms.jwks_path}",
        "cluster": mesh_name(EDGE, terms.service),
        "timeout": FETCH_TIMEOUT,
    }
    return {
        "issuer": topology.issuer(edge_port),
        "audiences": [terms.audience],
        "remote_jwks": {
            "http_uri": keys,
            "cache_duration": f"{terms.jwks_refresh_s}s",
            # The listener does not wait for identity: certificates are good without it.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": REFETCH},
        },
        "forward": False,
        "forward_payload_header": TOKEN_HEADER,
        "payload_in_metadata": TOKEN_KEY,
        "header_in_metadata": HEADER_KEY,
        # By default a token is also taken from the query, which ends up in logs.
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "require_expiration": True,
        "max_lifetime": f"{terms.token_lifetime_s + SKEW_S}s",
        "clock_skew_seconds": SKEW_S,
        "jwt_cache_config": {"jwt_cache_size": CACHED_MAX, "jwt_max_token_size": TOKEN_BYTES_MAX},
    }


def path_match(path: str) -> dict[str, Any]:
    """A path, or everything below one that ends in "/"."""
    return {"prefix" if path.endswith("/") else "path": path}


def filters(topology: Topology, public: Iterable[str], edge_port: int) -> list[dict[str, Any]]:
    """The filter that verifies tokens; none in a mesh without them.

    Args:
        public: paths that everybody may ask for; who answers them may look at the token himself.
    """
    if topology.tokens is None:
        return []
    good = {"provider_name": PROVIDER}
    or_none = {"requires_any": {"requirements": [good, {"allow_missing": {}}]}}
    proved = {"name": CLIENT_HEADER, "present_match": True}
    rules: list[dict[str, Any]] = [{"match": path_match(path)} for path in public]
    rules += [
        {"match": {"prefix": "/", "headers": [proved]}, "requires": or_none},
        {"match": {"prefix": "/"}, "requires": or_none if topology.edge.anonymous_roles else good},
    ]
    config = {"providers": {PROVIDER: _provider(topology.tokens, topology, edge_port)}, "rules": rules}
    return [extension(FILTER, _JWT, config)]


def has_token() -> dict[str, Any]:
    """The principal of whoever has shown an access token that is good."""
    return _metadata(HEADER_KEY, "typ", {"string_match": {"exact": ACCESS_TOKEN, "ignore_case": True}})


def has_role(roles: Iterable[str]) -> dict[str, Any]:
    """The principal of whoever has shown an access token with one of some roles."""
    each = [
        _metadata(TOKEN_KEY, "roles", {"list_match": {"one_of": {"string_match": {"exact": role}}}})
        for role in sorted(roles)
    ]
    return {"and_ids": {"ids": [has_token(), {"or_ids": {"ids": each}}]}}


def is_client(identity: str) -> dict[str, Any]:
    """The principal of whoever has shown a certificate, and no token that would speak for somebody else."""
    shown = {"authenticated": {"principal_name": {"exact": identity}}}
    return {"and_ids": {"ids": [shown, {"not_id": _metadata(TOKEN_KEY, "iss", {"present_match": True})}]}}


def _metadata(key: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"filter": FILTER, "path": [{"key": key}, {"key": name}], "value": value}}
