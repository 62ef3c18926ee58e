"""The compiler: what follows from topology and contract, whatever the layout."""

from __future__ import annotations

import json

import pytest

from crossrate.rpc.caller import LOCAL, allowed_callers
from crossrate.rpc.contract import Idempotency, contracts
from crossrate.runtime.topology import Topology, load
from services.control import envoy_api
from services.control.access import PUBLIC, callers_of, paths_of_roles
from services.control.compile import compile
from services.control.routes import Backend, GrpcRoute, Match, Rule
from services.control.snapshots import TYPES
from services.control.state import EDGE, Resources, service_of
from tests.unit.control.state import small_state


@pytest.fixture(scope="module")
def topology() -> Topology:
    """The mesh's own."""
    return load()


@pytest.fixture(scope="module")
def nodes(topology: Topology) -> dict[str, Resources]:
    """The mesh's own, compiled."""
    return compile(topology, contracts(), small_state(topology, openapi="{}", json_guard="-- guard"))


def in_words(document: object) -> str:
    """A resource as one text, to look for what must be in it or must not."""
    return json.dumps(document, sort_keys=True)


def http_of(listener: dict) -> dict:
    """The configuration of a listener's HTTP connection manager."""
    return listener["filter_chains"][0]["filters"][-1]["typed_config"]


def rbac_of(listener: dict) -> dict[str, dict]:
    """The policies of a listener, by caller."""
    filters = {f["name"]: f["typed_config"] for f in http_of(listener)["http_filters"]}
    rules = filters["envoy.filters.http.rbac"]["rules"]
    assert rules["action"] == "ALLOW"
    return rules["policies"]


def paths_of(policy: dict) -> set[str]:
    """The exact paths that a policy allows."""
    return {p["url_path"]["path"]["exact"] for p in policy["permissions"] if "exact" in p["url_path"]["path"]}


def test_every_resource_is_one_of_envoy_s(nodes: dict[str, Resources]) -> None:
    """All resources are messages of Envoy's API, named as their table says."""
    for resources in nodes.values():
        for kind, full_name in TYPES.items():
            for name, document in getattr(resources, kind).items():
                message = envoy_api.parse(full_name, document)
                assert name in (getattr(message, "name", None), getattr(message, "cluster_name", None))


def test_the_layout_changes_who_gets_what_and_nothing_else(topology: Topology) -> None:
    """The union of all sidecars' resources is what the node proxy gets; the edge gets the same in both."""
    state = small_state(topology)
    together = compile(topology.model_copy(update={"layout": "node"}), contracts(), state)
    apart = compile(topology.model_copy(update={"layout": "sidecar"}), contracts(), state)
    assert set(together) == {EDGE, "node"}
    assert set(apart) == {EDGE, *(f"sidecar-{s}" for s in topology.services)}
    union = Resources()
    for name, resources in apart.items():
        if name != EDGE:
            union.add(resources)
    assert union == together["node"]
    assert apart[EDGE] == together[EDGE]


def test_a_sidecar_has_no_other_service_s_key(topology: Topology) -> None:
    """Each proxy gets the keys of the services that it carries, and no others."""
    apart = compile(topology.model_copy(update={"layout": "sidecar"}), contracts(), small_state(topology))
    for service in topology.services:
        assert set(apart[f"sidecar-{service}"].secrets) == {f"certificate|{service}", "trust"}
    assert set(apart[EDGE].secrets) == {"certificate|edge", "server|edge", "trust"}


@pytest.mark.parametrize("path", contracts())
def test_a_method_is_open_to_its_callers_alone(path: str, topology: Topology, nodes: dict[str, Resources]) -> None:
    """The callee's proxy lets through exactly the callers that the server lets in: contract and topology together."""
    method = contracts()[path]
    assert callers_of(method, topology) == allowed_callers(method, topology) - {LOCAL}
    if method.workload not in topology.services:
        assert path not in in_words(nodes["node"].listeners) + in_words(nodes[EDGE].listeners)
        return
    policies = rbac_of(nodes["node"].listeners[f"in|{method.workload}"])
    allowed = {caller for caller, policy in policies.items() if path in paths_of(policy)}
    assert allowed == callers_of(method, topology)
    for caller in allowed:
        principals = policies[caller]["principals"]
        assert principals == [{"authenticated": {"principal_name": {"exact": topology.identity(caller)}}}]


def test_who_proves_nothing_may_what_the_anonymous_roles_may(topology: Topology, nodes: dict[str, Resources]) -> None:
    """In the shipped mesh the document alone; with anonymous roles their methods, and gRPC's own services."""
    policy = rbac_of(nodes[EDGE].listeners[EDGE])["anonymous"]
    pages = {path for service in topology.services.values() for path in service.http if not path.endswith("/")}
    assert paths_of(policy) == {"/openapi.json", *pages}
    opened = topology.model_copy(update={"edge": topology.edge.model_copy(update={"anonymous_roles": ("viewer",)})})
    policy = rbac_of(compile(opened, contracts(), small_state(opened))[EDGE].listeners[EDGE])["anonymous"]
    assert paths_of(policy) == {*paths_of_roles(["viewer"], topology, contracts()), *pages}
    prefixes = {p["url_path"]["path"].get("prefix") for p in policy["permissions"]} - {None}
    assert prefixes >= {f"/{name}/" for name in PUBLIC}


@pytest.mark.parametrize("path", contracts())
def test_a_method_s_route_keeps_its_contract(path: str, topology: Topology, nodes: dict[str, Resources]) -> None:
    """Deadline, silence and repeats of a route are the contract's; a call that may not be repeated is only repeated
    when no server has seen it."""
    method = contracts()[path]
    if method.workload not in topology.services:
        return
    routes = nodes["node"].routes[f"in|{method.workload}"]["virtual_hosts"][0]["routes"]
    (action,) = [r["route"] for r in routes if r["match"].get("path") == path]
    longest_s = float(action["max_stream_duration"]["grpc_timeout_header_max"].rstrip("s"))
    assert method.deadline_s < longest_s <= method.deadline_s + 1
    assert action["max_stream_duration"]["max_stream_duration"] == f"{longest_s:.9g}s"
    retry_on = action["retry_policy"]["retry_on"].split(",")
    if method.idempotency is Idempotency.NOT_IDEMPOTENT or method.streaming:
        assert set(retry_on) == {"connect-failure", "refused-stream", "reset-before-request"}
    if method.stream_idle_timeout_s:
        assert float(action["idle_timeout"].rstrip("s")) >= method.stream_idle_timeout_s


def test_every_connection_between_proxies_proves_both_sides(topology: Topology, nodes: dict[str, Resources]) -> None:
    """TLS 1.3 with the caller's certificate, and a callee that must be exactly the service; an inbound listener asks
    for a certificate of the trust domain."""
    for resources in nodes.values():
        for name, cluster in resources.clusters.items():
            kind, caller, *callee = name.split("|")
            if kind != "mesh":
                continue
            tls = cluster["transport_socket"]["typed_config"]["common_tls_context"]
            assert tls["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"
            assert tls["tls_certificate_sds_secret_configs"][0]["name"] == f"certificate|{caller}"
            (san,) = tls["combined_validation_context"]["default_validation_context"]["match_typed_subject_alt_names"]
            assert san == {"san_type": "URI", "matcher": {"exact": topology.identity(callee[0])}}
    for service in topology.services:
        chain = nodes["node"].listeners[f"in|{service}"]["filter_chains"][0]
        tls = chain["transport_socket"]["typed_config"]
        assert tls["require_client_certificate"] is True
        assert tls["common_tls_context"]["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"
        assert http_of({"filter_chains": [chain]})["forward_client_cert_details"] == "SANITIZE_SET"


def test_no_connection_outlives_its_certificate(topology: Topology, nodes: dict[str, Resources]) -> None:
    """A connection ends within half of a certificate's life, which is when the certificate is replaced; and not all of
    them end at the same time."""
    lives = set()
    for name, cluster in nodes["node"].clusters.items():
        if name.startswith("mesh|"):
            (options,) = cluster["typed_extension_protocol_options"].values()
            lives.add(options["common_http_protocol_options"]["max_connection_duration"])
    assert len(lives) > 1
    assert max(float(life.rstrip("s")) for life in lives) < topology.certificates.workload_lifetime_s / 2


def test_ejections_reach_the_workers_at_once(nodes: dict[str, Resources]) -> None:
    """Every cluster has what keeps restarts and failures from losing calls."""
    for resources in nodes.values():
        for name, cluster in resources.clusters.items():
            common = cluster["common_lb_config"]
            assert common == {"update_merge_window": "0s", "healthy_panic_threshold": {"value": 0}}
            assert "retry_budget" in cluster["circuit_breakers"]["thresholds"][0]
            if name.startswith("candidate|"):
                continue  # It has no hosts of its own; the clusters that it names have.
            assert cluster["outlier_detection"]["max_ejection_percent"] <= 50
            if name.startswith("local|"):
                assert cluster["ignore_health_on_host_removal"] is True
                assert "grpc_health_check" in cluster["health_checks"][0]


def test_instances_are_the_endpoints_of_their_backend(nodes: dict[str, Resources]) -> None:
    """A backend's own cluster has a Unix socket for each instance that serves, and is empty while none does."""
    assignment = nodes["node"].endpoints["local|reference"]
    paths = [e["endpoint"]["address"]["pipe"]["path"] for e in assignment["endpoints"][0]["lb_endpoints"]]
    assert paths == ["/run/s/reference-1.sock", "/run/s/reference-2.sock"]
    assert nodes["node"].endpoints["local|marketdata"]["endpoints"] == []


def test_a_candidates_calls_stay_with_it_while_one_of_its_instances_is_well(topology: Topology) -> None:
    """A new one that has not been checked yet gives none of them to the stable instances behind."""
    nodes = compile(topology, contracts(), small_state(topology))
    factor = nodes["node"].endpoints["local|reference-candidate"]["policy"]["overprovisioning_factor"]
    assert factor / 100 >= 999
    assert "policy" not in nodes["node"].endpoints["local|reference"]


def test_a_route_splits_calls_between_backends(topology: Topology) -> None:
    """Weights, headers and a shorter time of a route appear at every caller and at the edge; the callee's own deadline
    stays."""
    name = "crossrate.api.reference.v1.ReferenceService"
    pinned = Rule((Match(name, "GetInstrument"),), (Backend("reference-canary"),), 0.5)
    both = Rule((Match(),), (Backend("reference", 9), Backend("reference-canary", 1)))
    routes = {"reference": GrpcRoute("reference", (pinned, both))}
    state = small_state(topology, routes, ports={"reference-canary": 21_000})
    nodes = compile(topology, contracts(), state)
    table = nodes["node"].routes["out|marketdata"]["virtual_hosts"][0]["routes"]
    to_reference = [r for r in table if name in in_words(r["match"])]
    assert [r["match"].get("path") or r["match"].get("prefix") for r in to_reference] == [
        f"/{name}/GetInstrument",
        f"/{name}/",
    ]
    assert to_reference[0]["route"]["cluster"] == "mesh|marketdata|reference-canary"
    assert to_reference[0]["route"]["max_stream_duration"]["grpc_timeout_header_max"] == "0.5s"
    weights = {c["name"]: c["weight"] for c in to_reference[1]["route"]["weighted_clusters"]["clusters"]}
    assert weights == {"mesh|marketdata|reference": 9, "mesh|marketdata|reference-canary": 1}
    edge = [
        r
        for r in nodes[EDGE].routes[EDGE]["virtual_hosts"][0]["routes"]
        if r["match"].get("path") == f"/{name}/GetInstrument"
    ]
    ways = [(in_words(r["match"].get("headers", [])), "weighted_clusters" in r["route"]) for r in edge]
    assert [(("application/grpc" in words), weighted) for words, weighted in ways] == [
        (True, False),
        (False, False),
        (True, True),
        (False, True),
    ]
    assert {"in|reference", "in|reference-canary"} <= nodes["node"].listeners.keys()
    assert nodes["node"].endpoints["local|reference-canary"]["endpoints"] == []


def test_plain_grpc_passes_by_what_is_for_browsers_and_json(topology: Topology, nodes: dict[str, Resources]) -> None:
    """The route that takes a call in plain gRPC leaves out the filters for others; every other route keeps them, but
    those of services that answer over HTTP themselves."""
    routes = nodes[EDGE].routes[EDGE]["virtual_hosts"][0]["routes"]
    named = {"cors", "grpc_web", "lua", "grpc_json_transcoder"}
    over_http = {path for service in topology.services.values() for path in service.http}
    for route in routes:
        if (route["match"].get("path") or route["match"].get("prefix")) in over_http:
            off = {name.rpartition(".")[2] for name in route["typed_per_filter_config"]}
            assert off == named - {"cors"}, route
            continue
        plain = "application/grpc" in in_words(route["match"].get("headers", []))
        config = route.get("typed_per_filter_config", {})
        off = {name.rpartition(".")[2] for name, value in config.items() if value.get("disabled")}
        # The document of the REST paths is not a call, and nothing transcodes it.
        assert off == (named if plain else off & {"grpc_json_transcoder"}), route
    assert any("application/grpc" in in_words(r["match"].get("headers", [])) for r in routes)


def test_a_token_is_looked_at_before_anything_reads_a_body() -> None:
    """In a mesh with identity the filter for tokens stands right behind what makes gRPC of gRPC-Web; its keys come from
    identity's own listener, and only pages and the document are open."""
    document = load().model_dump()
    document["services"]["identity"] = {"http": ["/oauth2/", "/login"]}
    topology = Topology.model_validate({**document, "tokens": {"issuer": "https://fx.example"}})
    state = small_state(topology, openapi="{}", json_guard="-- guard")
    http = http_of(compile(topology, contracts(), state)[EDGE].listeners[EDGE])
    filters = {f["name"].rpartition(".")[2]: f["typed_config"] for f in http["http_filters"]}
    assert list(filters)[:4] == ["cors", "grpc_web", "jwt_authn", "lua"]
    (provider,) = filters["jwt_authn"]["providers"].values()
    assert provider["issuer"] == "https://fx.example"
    assert provider["remote_jwks"]["http_uri"]["cluster"] == "mesh|edge|identity"
    assert (provider["forward"], provider["require_expiration"]) == (False, True)
    rules = filters["jwt_authn"]["rules"]
    free = [rule["match"] for rule in rules if "requires" not in rule]
    served = [path for service in topology.services.values() for path in service.http]
    assert free == [{"path": "/openapi.json"}, *({"prefix" if p.endswith("/") else "path": p} for p in served)]
    assert rules[-1] == {"match": {"prefix": "/"}, "requires": {"provider_name": "mesh"}}


def test_every_method_takes_its_cost_and_its_lane_s_limits(topology: Topology, nodes: dict[str, Resources]) -> None:
    """A route says its method's cost and lane; the reserved lane and streams have limits of their own in every cluster,
    and the edge sends a service no more of the others than its instances take at once."""
    routes = nodes[EDGE].routes[EDGE]["virtual_hosts"][0]["routes"]
    for route in routes:
        method = contracts().get(route["match"].get("path", ""))
        if method is not None:
            said = route["metadata"]["filter_metadata"]["crossrate.rate"]
            assert said == {"lane": "reserved" if method.reserved_lane else "normal", "cost": method.cost}
            own_limits = method.reserved_lane or method.streaming
            assert route["route"].get("priority") == ("HIGH" if own_limits else None)
    for cluster in nodes[EDGE].clusters.values():
        limits = {t["priority"]: t["max_requests"] for t in cluster["circuit_breakers"]["thresholds"]}
        assert set(limits) == {"DEFAULT", "HIGH"}
        service = topology.services.get(service_of(cluster["name"].rpartition("|")[2]))
        if cluster["name"].startswith(f"mesh|{EDGE}|") and service is not None:
            room = service.concurrency_max * service.instances
            assert limits["DEFAULT"] == (room // 2 if service.waiting_max else room)
            if service.waiting_max:
                (waits,) = (t for t in cluster["circuit_breakers"]["thresholds"] if t["priority"] == "DEFAULT")
                (protocol,) = cluster["typed_extension_protocol_options"].values()
                assert waits["max_pending_requests"] == service.waiting_max
                streams = protocol["explicit_http_config"]["http2_protocol_options"]["max_concurrent_streams"]
                assert waits["max_connections"] * streams == room // 2
    assert max(m.cost for m in contracts().values()) <= min(limit.burst for limit in topology.rate_classes.values())


def test_the_edge_is_hardened(nodes: dict[str, Resources]) -> None:
    """The edge keeps the limits of Envoy's own list for edge proxies, and its guard stands before the transcoder."""
    listener = nodes[EDGE].listeners[EDGE]
    http = http_of(listener)
    names = [f["name"].rpartition(".")[2] for f in http["http_filters"]]
    assert names[:5] == ["cors", "grpc_web", "jwt_authn", "lua", "grpc_json_transcoder"]
    assert names[5:] == ["rbac", "local_ratelimit", "grpc_stats", "router"]
    assert http["use_remote_address"] is True
    assert http["normalize_path"] is True
    assert http["common_http_protocol_options"]["headers_with_underscores_action"] == "REJECT_REQUEST"
    assert http["http2_protocol_options"]["max_concurrent_streams"] == 100
    assert http["forward_client_cert_details"] == "SANITIZE"
    assert float(http["stream_idle_timeout"].rstrip("s")) > 0
    assert float(http["request_headers_timeout"].rstrip("s")) > 0
    stripped = in_words(http["early_header_mutation_extensions"])
    assert all(prefix in stripped for prefix in ("x-envoy-", "x-crossrate-", "x-forwarded-client-cert"))
