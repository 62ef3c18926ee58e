"""How the calls of a service are shared between its stable instances and a candidate's, while a release is under way.

```
inbound listener ─ RBAC ─ key of the call ─┬─ marked by a service of the same release: as that one chose
                                           ├─ pinned: stable or candidate
                                           └─ hash of the key, else chance ─┬─ [0, 10000 - weight) ─▶ local|<service>
                                                                            └─ the rest ─▶ candidate|<service>
```

It is done where instances are chosen, at the callee's own listener: there the key of the contract is known, and one
route table of one proxy is all that a change of weight moves. Both clusters are always there. The stable one comes
first, so that a key which the candidate has it keeps while the weight grows, and gives back while it shrinks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossrate.rpc.caller import CLIENT_HEADER
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.release_mark import MARK_HEADER, OF_NOBODY, RELEASE_HEADER, RULE_HEADER, mark_of
from crossrate.rpc.tokens import TOKEN_HEADER
from crossrate.runtime.topology import Topology
from services.control.access import called_by
from services.control.authentication import FILTER, TOKEN_KEY
from services.control.clusters import candidate_name, local_name
from services.control.envoy_api import TYPE_PREFIX, extension
from services.control.split import DESK_HEADER, WEIGHT_MAX, Pin, Split
from services.control.sticky import EXTRACTED, hash_policy

SIDE_HEADER = "x-crossrate-release-side"
"""Tells the log of calls to which version a call was sent, whoever answered it after it was repeated."""
TO_STABLE, TO_CANDIDATE = "stable", "candidate"
ROLES_HEADER = "x-crossrate-roles"
"""The roles of a caller's token, as JSON, from the edge; for pins alone, no right hangs on it."""
_LUA = "envoy.extensions.filters.http.lua.v3.Lua"
_LUA_ON_ROUTE = "envoy.extensions.filters.http.lua.v3.LuaPerRoute"
_FILTER_CONFIG = "envoy.config.route.v3.FilterConfig"
REROUTE = "envoy.filters.http.lua"
"""The filter that has the route chosen again once the key is known."""
_AGAIN = "again"
RULE_CHARACTERS_MAX = 200
_BY_MARK = "the mark of the release's service that the call met first"
_BY_NOBODY = "the mark of what a service asks for nobody's call"
_BY_CALLER = "its caller, a service of the release that asked without a mark: for a call that began before it"
OUTLASTING = {"num_retries": 6, "retry_back_off": {"base_interval": "0.02s", "max_interval": "0.2s"}}
"""During a release a call is repeated for longer: until the proxies have heard that a candidate is gone, its cluster
has nobody else who could answer, and then the stable instances do."""


def _written(words: str) -> str:
    """Words as the value of a header: Envoy reads a percent sign as the begin of a command."""
    shown = "".join(each if " " <= each <= "~" else "?" for each in words)
    return (shown if len(shown) <= RULE_CHARACTERS_MAX else f"{shown[: RULE_CHARACTERS_MAX - 3]}...").replace("%", "%%")


def _pin_in_words(place: int, pin: Pin) -> str:
    kind = f"pin {place}" if pin.to_candidate else f"exclusion (pin {place})"
    if pin.header and pin.header != DESK_HEADER:
        return f"{kind}: header {pin.header} is {pin.value}"
    return f"{kind}: {'role' if pin.by_role else 'desk' if pin.header else 'account'} {pin.value}"


def _set(header: str, value: str) -> dict[str, Any]:
    return {"header": {"key": header, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _targets(backend: str, weight: int, split: Split, by_hash: bool, rule: str) -> dict[str, Any]:
    # The header goes out with every call of the release, so that what answered can be told in the log of calls.
    shares = (
        (local_name(backend), WEIGHT_MAX - weight, TO_STABLE),
        (candidate_name(backend), weight, TO_CANDIDATE),
    )
    clusters = []
    for name, share, side in shares:
        told = _set(RULE_HEADER, _written(f"{side}; {rule}"))
        headers = [_set(RELEASE_HEADER, split.release), _set(SIDE_HEADER, side), told]
        if split.marked:
            headers.append(_set(MARK_HEADER, mark_of(split.release, side)))
        clusters.append({"name": name, "weight": share, "request_headers_to_add": headers})
    return {"weighted_clusters": {"clusters": clusters, "use_hash_policy": by_hash}}


def _of_role(role: str, topology: Topology) -> list[dict[str, Any]]:
    """Calls of whoever has a role: by the token's roles as the edge hands them on, or by a certificate without a token,
    whose roles the topology says."""
    token = {"name": ROLES_HEADER, "string_match": {"contains": f'"{role}"'}}
    found = [{"headers": [token]}]
    for name, client in topology.clients.items():
        if role in client.roles:
            proved = {"name": CLIENT_HEADER, "string_match": {"exact": topology.client_identity(name)}}
            alone = {"name": TOKEN_HEADER, "present_match": True, "invert_match": True}
            found.append({"headers": [proved, alone]})
    return found


def caller_headers(splits: Mapping[str, Split]) -> list[dict[str, Any]]:
    """What the edge adds to calls: roles and desk of who calls, while a release asks for them."""
    pins = [pin for split in splits.values() for pin in split.pins]
    headers = {split.header for split in splits.values()} | {pin.header for pin in pins}
    asked = (
        (ROLES_HEADER, "roles", any(pin.by_role for pin in pins)),
        (DESK_HEADER, "desk", DESK_HEADER in headers),
    )
    return [
        _set(header, f"%DYNAMIC_METADATA({FILTER}:{TOKEN_KEY}:{claim})%") for header, claim, wanted in asked if wanted
    ]


def _pinned(pin: Pin, method: MethodContract, topology: Topology) -> list[dict[str, Any]]:
    """What a pin asks of a call, each by itself; nothing if no call of the method can have it."""
    if pin.by_role:
        return _of_role(pin.value, topology)
    if pin.header:
        return [{"headers": [{"name": pin.header, "string_match": {"exact": pin.value}}]}]
    if method.sticky_field:
        # The fields' values are lists: a field at a path may be repeated.
        value = {"list_match": {"one_of": {"string_match": {"exact": pin.value}}}}
        return [{"dynamic_metadata": [{"filter": EXTRACTED, "path": [{"key": method.sticky_field}], "value": value}]}]
    return []


def _followed(split: Split, topology: Topology) -> list[tuple[dict[str, Any], int, str]]:
    """Headers of calls for which another service of the release has chosen, the candidate's weight for each, and the
    rule in words."""
    if not split.marked:
        return []
    candidate = {"name": MARK_HEADER, "string_match": {"exact": mark_of(split.release, TO_CANDIDATE)}}
    if split.only_marked:
        return [(candidate, WEIGHT_MAX, _BY_MARK)]
    stable = [
        ({"name": MARK_HEADER, "string_match": {"exact": mark}}, 0, rule)
        for mark, rule in ((mark_of(split.release, TO_STABLE), _BY_MARK), (OF_NOBODY, _BY_NOBODY))
    ]
    if split.among:
        stable.append((called_by(split.among, topology), 0, _BY_CALLER))
    return [(candidate, WEIGHT_MAX, _BY_MARK), *stable]


def split_routes(
    method: MethodContract, backend: str, action: Mapping[str, Any], split: Split | None, topology: Topology
) -> list[dict[str, Any]]:
    """The routes of a method: one, or during a release one a mark, one a pin and one by weight.

    Args:
        action: everything of the route but where it goes.
    """
    match = {"path": method.path}
    alone = {"match": match, "route": {"cluster": local_name(backend), **action, **hash_policy(method)}}
    if split is None:
        return [alone]
    routes = []
    for header, weight, rule in _followed(split, topology):
        target = _targets(backend, weight, split, False, rule)
        route = {**target, **action, **hash_policy(method)}
        routes.append({"match": {**match, "headers": [header]}, "route": route})
    if split.only_marked:
        # What is under way when the first step begins stays where it is.
        told = [_set(MARK_HEADER, mark_of(split.release, TO_STABLE))]
        return [*routes, {**alone, "request_headers_to_add": told}]
    keys = hash_policy(method)
    if split.header and not keys:
        keys = {"hash_policy": [{"header": {"header_name": split.header}, "terminal": True}]}
    again: dict[str, Any] = {}
    if method.sticky_field:
        script = {"@type": TYPE_PREFIX + _LUA_ON_ROUTE, "name": _AGAIN}
        enabled = {"@type": TYPE_PREFIX + _FILTER_CONFIG, "config": script, "disabled": False}
        again = {"typed_per_filter_config": {REROUTE: enabled}}
    for place, pin in enumerate(split.pins, 1):
        for asked in _pinned(pin, method, topology):
            whole = WEIGHT_MAX if pin.to_candidate else 0
            target = _targets(backend, whole, split, False, _pin_in_words(place, pin))
            # Instances of either side are still chosen by the contract's key.
            routes.append({"match": {**match, **asked}, "route": {**target, **action, **hash_policy(method)}, **again})
    key = method.sticky_field or ("desk" if split.header == DESK_HEADER else split.header and f"header {split.header}")
    by = f"the hash of {key}" if key else "chance"
    target = _targets(backend, split.weight, split, bool(keys), f"weight {split.weight / 100:g} %, by {by}")
    routes.append({"match": match, "route": {**target, **action, **keys}, **again})
    return routes


def reroute_filter() -> dict[str, Any]:
    """The filter that has the route chosen again; left out on every route that does not ask for it."""
    source = {_AGAIN: {"inline_string": "function envoy_on_request(handle) handle:clearRouteCache() end"}}
    return {**extension(REROUTE, _LUA, {"source_codes": source}), "disabled": True}
