"""A candidate's share as routes and clusters: what moves, in which order, and what stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from crossrate.rpc.contract import contracts
from crossrate.rpc.release_mark import MARK_HEADER, OF_NOBODY, RELEASE_HEADER, RULE_HEADER
from crossrate.runtime.topology import DEFAULT_PATH, Topology, load
from services.control.compile import compile, proxy_of
from services.control.envoy_api import ResourceError
from services.control.inbound import inbound
from services.control.shares import REROUTE, ROLES_HEADER, RULE_CHARACTERS_MAX
from services.control.snapshots import Snapshots
from services.control.split import DESK_HEADER, Pin, Split
from services.control.state import Resources
from tests.unit.control.state import small_state

BALANCES = "/crossrate.api.ledger.v1.LedgerService/GetBalances"
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
INSTRUMENT = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"


@pytest.fixture(scope="module")
def topology() -> Topology:
    """The topology of the checkout."""
    return load(DEFAULT_PATH)


def compiled(topology: Topology, **splits: Split) -> dict[str, Resources]:
    """Every proxy's resources with some shares."""
    return compile(topology, contracts(), small_state(topology, splits=splits))


def routes_to(nodes: dict[str, Resources], service: str, path: str) -> list[dict[str, Any]]:
    """The routes of a method at its callee."""
    table = nodes["node"].routes[f"in|{service}"]["virtual_hosts"][0]["routes"]
    return [r for r in table if r["match"].get("path") == path]


def shares(route: dict[str, Any]) -> list[tuple[str, int]]:
    """Clusters and weights in their order."""
    return [(c["name"], c["weight"]) for c in route["route"]["weighted_clusters"]["clusters"]]


def test_a_release_moves_the_routes_of_its_service_alone(topology: Topology) -> None:
    """Clusters, endpoints, listeners, secrets and all other routes are the same with and without a share, so that
    nothing has to warm up before calls move, or is drained after."""
    before, after = compiled(topology), compiled(topology, reference=Split("id", 500))
    for name in before:
        for kind in ("clusters", "endpoints", "listeners", "secrets"):
            assert getattr(before[name], kind) == getattr(after[name], kind)
        changed = {k for k, v in after[name].routes.items() if before[name].routes[k] != v}
        assert changed == ({"in|reference"} if name == "node" else set())


@pytest.mark.parametrize("layout", ["node", "sidecar"])
def test_a_share_is_put_in_force_without_compiling_everything(topology: Topology, layout: str) -> None:
    """What is published of the service's own listener alone is the same as all that is compiled anew, for all proxies;
    the same share again is no new version, and a resource that is none leaves everything as it was."""
    topology = topology.model_copy(update={"layout": layout})
    snapshots = Snapshots(0, NOW, lambda version: None)
    snapshots.publish(compiled(topology), "start", NOW)
    split = Split("release", 500)
    state = small_state(topology, splits={"trading": split})
    part = inbound("trading", topology, contracts(), state)
    published = snapshots.publish_parts({proxy_of("trading", topology): part}, "share", NOW)
    assert (published.version, published.changed_count) == (2, 1)
    assert published.nodes == snapshots.encode(compiled(topology, trading=split))
    assert snapshots.publish_parts({proxy_of("trading", topology): part}, "again", NOW) is published
    broken = Resources(routes={"in|trading": {"name": "in|trading", "virtual_hosts": [{"nonsense": 1}]}})
    with pytest.raises(ResourceError):
        snapshots.publish_parts({proxy_of("trading", topology): broken}, "broken", NOW)
    assert snapshots.current is published


def test_stable_comes_first_and_the_weights_add_up(topology: Topology) -> None:
    """Then a key that the candidate has at a smaller weight it has at a larger one as well."""
    for weight in (0, 500, 10_000):
        (route,) = routes_to(compiled(topology, reference=Split("id", weight)), "reference", INSTRUMENT)
        assert shares(route) == [("local|reference", 10_000 - weight), ("candidate|reference", weight)]


def test_calls_are_shared_by_the_contracts_key_a_header_or_chance(topology: Topology) -> None:
    """The sticky field of the contract where there is one, whatever header the release names; else the header; else
    nothing. Only the field needs the route to be chosen again."""
    nodes = compiled(topology, ledger=Split("id", 500, "x-desk"), reference=Split("id", 500, "x-desk"))
    (by_field,) = routes_to(nodes, "ledger", BALANCES)
    (by_header,) = routes_to(nodes, "reference", INSTRUMENT)
    (by_chance,) = routes_to(compiled(topology, reference=Split("id", 500)), "reference", INSTRUMENT)
    assert "filter_state" in by_field["route"]["hash_policy"][0]
    assert by_header["route"]["hash_policy"] == [{"header": {"header_name": "x-desk"}, "terminal": True}]
    assert "hash_policy" not in by_chance["route"]
    hashed = [r["route"]["weighted_clusters"]["use_hash_policy"] for r in (by_field, by_header, by_chance)]
    assert hashed == [True, True, False]
    assert [REROUTE in r.get("typed_per_filter_config", {}) for r in (by_field, by_header, by_chance)] == [
        True,
        False,
        False,
    ]


def test_pins_stand_before_the_weights(topology: Topology) -> None:
    """In their order, each with all or nothing; one by account is none for a method without a sticky field."""
    pins = (Pin(True, "alpha"), Pin(False, "fx", "x-desk"))
    nodes = compiled(topology, ledger=Split("id", 500, pins=pins), reference=Split("id", 500, pins=pins))
    by_account, by_header, others = routes_to(nodes, "ledger", BALANCES)
    assert by_account["match"]["dynamic_metadata"][0]["path"] == [{"key": "account"}]
    assert shares(by_account) == [("local|ledger", 0), ("candidate|ledger", 10_000)]
    assert by_header["match"]["headers"] == [{"name": "x-desk", "string_match": {"exact": "fx"}}]
    assert shares(by_header) == [("local|ledger", 10_000), ("candidate|ledger", 0)]
    assert set(others["match"]) == {"path"}
    assert len(routes_to(nodes, "reference", INSTRUMENT)) == 2


def rules(route: dict) -> list[str]:
    """What a route writes down of the rule by which it sends a call to stable, and to the candidate."""
    targets = route["route"]["weighted_clusters"]["clusters"]
    headers = [h["header"] for target in targets for h in target["request_headers_to_add"]]
    return [h["value"] for h in headers if h["key"] == RULE_HEADER]


def test_every_route_says_by_which_rule_it_is_taken(topology: Topology) -> None:
    """The pin by its place and what it asks for, an exclusion as such, the weight with what it is shared by; a percent
    sign is none of Envoy's commands, and what no header may hold is not in it."""
    pins = (Pin(True, "alpha"), Pin(False, "5 % ü", "x-desk"), Pin(True, "trader", by_role=True))
    split = Split("id", 550, "x-who", pins=pins)
    nodes = compiled(topology, ledger=split, reference=split)
    told = [rules(route)[1] for route in routes_to(nodes, "ledger", BALANCES)]
    assert told[:2] == ["candidate; pin 1: account alpha", "candidate; exclusion (pin 2): header x-desk is 5 %% ?"]
    assert set(told[2:-1]) == {"candidate; pin 3: role trader"}
    assert told[-1] == "candidate; weight 5.5 %%, by the hash of account"
    assert rules(routes_to(nodes, "ledger", BALANCES)[-1])[0] == "stable; weight 5.5 %%, by the hash of account"
    assert "by the hash of header x-who" in rules(routes_to(nodes, "reference", INSTRUMENT)[-1])[0]
    (by_chance,) = routes_to(compiled(topology, reference=Split("id", 500)), "reference", INSTRUMENT)
    assert rules(by_chance) == ["stable; weight 5 %%, by chance", "candidate; weight 5 %%, by chance"]
    long = Split("id", 500, pins=(Pin(True, "x" * 1000, "x-desk"),))
    (pinned, _) = routes_to(compiled(topology, reference=long), "reference", INSTRUMENT)
    assert len(rules(pinned)[1]) == RULE_CHARACTERS_MAX
    split = Split("id", 0, marked=True, among=("broker",))
    marks = [rules(route)[0] for route in routes_to(compiled(topology, ledger=split), "ledger", BALANCES)[:-1]]
    assert ["the mark of" in mark for mark in marks] == [True, True, True, False]
    assert "nobody's call" in marks[2]
    assert "its caller" in marks[3]


def test_a_pin_by_role_asks_token_or_certificate(topology: Topology) -> None:
    """The edge tells the roles of tokens while a release asks for them, and at no other time; certificates have the
    roles of the topology, and speak for nobody beside a token."""
    split = Split("id", 500, pins=(Pin(True, "risk_officer", by_role=True),))
    nodes = compiled(topology, reference=split)
    *pinned, others = routes_to(nodes, "reference", INSTRUMENT)
    assert [shares(route)[1][1] for route in (*pinned, others)] == [10_000, 10_000, 10_000, 500]
    asked = [route["match"]["headers"] for route in pinned]
    assert asked[0] == [{"name": ROLES_HEADER, "string_match": {"contains": '"risk_officer"'}}]
    names = {headers[0]["string_match"]["exact"].rpartition("/")[2] for headers in asked[1:]}
    assert names == {"local", "second"}
    assert all(headers[1]["invert_match"] for headers in asked[1:])
    assert ROLES_HEADER in str(nodes["edge"].routes)
    assert ROLES_HEADER not in str(compiled(topology, reference=Split("id", 500))["edge"].routes)
    Snapshots(0, None, lambda version: None).encode(nodes)


def test_a_desk_is_pinned_and_keeps_together_by_its_token(topology: Topology) -> None:
    """Where the contract has a sticky field that stays the key; the edge tells desks while a release asks for them."""
    split = Split("id", 500, DESK_HEADER, (Pin(True, "rates", DESK_HEADER),))
    nodes = compiled(topology, reference=split, ledger=split)
    pinned, others = routes_to(nodes, "reference", INSTRUMENT)
    assert pinned["match"]["headers"] == [{"name": DESK_HEADER, "string_match": {"exact": "rates"}}]
    assert others["route"]["hash_policy"] == [{"header": {"header_name": DESK_HEADER}, "terminal": True}]
    assert others["route"]["weighted_clusters"]["use_hash_policy"]
    assert rules(pinned)[1] == "candidate; pin 1: desk rates"
    assert rules(others)[1] == "candidate; weight 5 %%, by the hash of desk"
    assert "by the hash of account" in rules(routes_to(nodes, "ledger", BALANCES)[-1])[1]
    assert DESK_HEADER in str(nodes["edge"].routes)
    assert ROLES_HEADER not in str(nodes["edge"].routes)
    for other in (Split("id", 500, DESK_HEADER), Split("id", 500, pins=split.pins)):
        assert DESK_HEADER in str(compiled(topology, reference=other)["edge"].routes)
    assert DESK_HEADER not in str(compiled(topology, reference=Split("id", 500))["edge"].routes)
    Snapshots(0, None, lambda version: None).encode(nodes)


def test_calls_of_a_release_carry_its_id_and_only_they_are_logged(topology: Topology) -> None:
    """The header is added where the cluster is chosen, and is what the log's filter asks for."""
    nodes = compiled(topology, reference=Split("id", 500))
    (route,) = routes_to(nodes, "reference", INSTRUMENT)
    for cluster in route["route"]["weighted_clusters"]["clusters"]:
        assert cluster["request_headers_to_add"][0]["header"] == {"key": RELEASE_HEADER, "value": "id"}
    assert RELEASE_HEADER not in str(compiled(topology)["node"].routes)
    listener = str(nodes["node"].listeners["in|reference"])
    assert f"'header_filter': {{'header': {{'name': '{RELEASE_HEADER}'" in listener


def test_every_service_but_control_may_have_a_candidate(topology: Topology) -> None:
    """Its instances, and a cluster of them with the stable ones behind; both are what Envoy's API says."""
    nodes = compiled(topology, ledger=Split("id", 500, pins=(Pin(True, "alpha"),)))
    clusters = nodes["node"].clusters
    for service in topology.services:
        assert (f"candidate|{service}" in clusters) is (service != "control")
    config = clusters["candidate|ledger"]["cluster_type"]["typed_config"]
    assert config["clusters"] == ["local|ledger-candidate", "local|ledger"]
    assert clusters["local|ledger-candidate"]["lb_policy"] == clusters["local|ledger"]["lb_policy"] == "MAGLEV"
    Snapshots(0, None, lambda version: None).encode(nodes)


def marks(routes: list[dict[str, Any]]) -> dict[str, list[tuple[str, int]]]:
    """Where calls with a mark go, in the order of the routes; "" for calls without."""
    found = {}
    for route in routes:
        (header, *_) = route["match"].get("headers", [{"name": "", "string_match": {"safe_regex": {"regex": ""}}}])
        text = header["string_match"]
        found[text.get("exact") or text["safe_regex"]["regex"]] = (
            shares(route) if "weighted_clusters" in route["route"] else []
        )
    return found


def test_a_mark_comes_before_pins_and_weight(topology: Topology) -> None:
    """Of a release of several services: what one of them has sent to a version goes to the same; what was begun by
    nobody's call, or is asked by one of them without a mark, to stable; and all else is marked with where it goes."""
    pins = (Pin(True, "account-7"),)
    split = Split("id", 500, pins=pins, marked=True, among=("broker", "ledger"))
    routes = routes_to(compiled(topology, ledger=split), "ledger", BALANCES)
    stable, candidate = (
        [("local|ledger", 10_000), ("candidate|ledger", 0)],
        [
            ("local|ledger", 0),
            ("candidate|ledger", 10_000),
        ],
    )
    assert [*marks(routes).items()][:4] == [
        ("id:candidate", candidate),
        ("id:stable", stable),
        (OF_NOBODY, stable),
        ("(.*;)?URI=(spiffe://crossrate/broker|spiffe://crossrate/ledger)(;.*)?", stable),
    ]
    assert shares(routes[-1]) == [("local|ledger", 9500), ("candidate|ledger", 500)]
    written = [
        {h["header"]["key"]: h["header"]["value"] for h in c["request_headers_to_add"]}[MARK_HEADER]
        for c in routes[-1]["route"]["weighted_clusters"]["clusters"]
    ]
    assert written == ["id:stable", "id:candidate"]


def test_a_release_that_is_taken_back_follows_the_candidates_mark_alone(topology: Topology) -> None:
    """All other calls are stable's and marked so, but uncounted; of one service there are no marks at all."""
    split = Split("id", 0, marked=True, only_marked=True)
    first, last = routes_to(compiled(topology, reference=split), "reference", INSTRUMENT)
    assert marks([first]) == {"id:candidate": [("local|reference", 0), ("candidate|reference", 10_000)]}
    assert "weighted_clusters" not in last["route"]
    assert last["route"]["cluster"] == "local|reference"
    (told,) = last["request_headers_to_add"]
    assert told["header"] == {"key": MARK_HEADER, "value": "id:stable"}
    (alone,) = routes_to(compiled(topology, reference=Split("id", 500)), "reference", INSTRUMENT)
    assert MARK_HEADER not in str(alone)


def test_shares_of_several_services_are_one_snapshot(topology: Topology) -> None:
    """Whether one proxy carries both or each its own."""
    for layout in ("node", "sidecar"):
        topology = topology.model_copy(update={"layout": layout})
        snapshots = Snapshots(0, NOW, lambda version: None)
        snapshots.publish(compiled(topology), "start", NOW)
        split = Split("id", 500, marked=True)
        state = small_state(topology, splits={"pricing": split, "marketdata": split})
        parts: dict[str, Resources] = {}
        for service in ("pricing", "marketdata"):
            part = parts.setdefault(proxy_of(service, topology), Resources())
            part.add(inbound(service, topology, contracts(), state))
        published = snapshots.publish_parts(parts, "shares", NOW)
        assert (published.version, published.changed_count) == (2, 2)
        assert published.nodes == snapshots.encode(compiled(topology, pricing=split, marketdata=split))
