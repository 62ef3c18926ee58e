"""GRPCRoutes: what is rendered can be read back, and what cannot be used is told field by field."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.rpc.contract import contracts
from services.control import routes
from services.control.access import methods_of
from services.control.routes import Backend, GrpcRoute, HeaderMatch, Match, RouteError, Rule

METHODS = methods_of("reference", contracts())
NAME = METHODS[0].service
BACKENDS = ("reference", "reference-canary")

_headers = st.builds(
    HeaderMatch,
    name=st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
    is_regex=st.booleans(),
)
_matches = st.builds(
    lambda target, headers: Match(*target, headers),
    st.sampled_from([(None, None), (NAME, None), *((NAME, m.name) for m in METHODS)]),
    st.lists(_headers, max_size=3).map(tuple),
)
_backends = st.builds(Backend, st.sampled_from(BACKENDS), st.integers(1, routes.WEIGHT_MAX))
_rules = st.builds(
    Rule,
    st.lists(_matches, min_size=1, max_size=4).map(tuple),
    st.lists(_backends, min_size=1, max_size=3).map(tuple),
    st.none() | st.integers(1, 3_600_000).map(lambda ms: ms / 1000),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(_rules, min_size=1, max_size=4).map(tuple))
def test_a_rendered_route_reads_back_as_it_was(rules: tuple[Rule, ...]) -> None:
    """Reading what was rendered gives the same route."""
    route = GrpcRoute("reference", rules)
    assert routes.read(routes.render(route), METHODS, BACKENDS) == route


def test_the_default_route_takes_every_call_of_the_service() -> None:
    """A service that nothing replaces has one rule, for its own backend, in the shape of Gateway API."""
    document = routes.render(routes.default_route("reference", METHODS))
    assert document["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert document["kind"] == "GRPCRoute"
    assert document["spec"]["parentRefs"] == [{"group": "", "kind": "Service", "name": "reference"}]
    (rule,) = document["spec"]["rules"]
    assert rule["matches"] == [{"method": {"type": "Exact", "service": NAME}}]
    assert [(b["name"], b["weight"]) for b in rule["backendRefs"]] == [("reference", 1)]


def _wrong(change) -> dict:
    document = copy.deepcopy(routes.render(routes.default_route("reference", METHODS)))
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda d: d.update(kind="HTTPRoute"), "kind"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d["spec"].update(rules=[]), "spec.rules"),
        (lambda d: d["spec"]["rules"][0].update(filters=[{}]), "spec.rules[0].filters"),
        (lambda d: d["spec"]["rules"][0].update(backendRefs=[]), "spec.rules[0].backendRefs"),
        (lambda d: d["spec"]["rules"][0]["backendRefs"][0].update(name="x"), "spec.rules[0].backendRefs[0].name"),
        (lambda d: d["spec"]["rules"][0]["backendRefs"][0].update(weight=0), "spec.rules[0].backendRefs"),
        (lambda d: d["spec"]["rules"][0]["backendRefs"][0].update(weight=-1), "spec.rules[0].backendRefs[0].weight"),
        (lambda d: d["spec"]["rules"][0]["backendRefs"][0].update(weight=0.5), "spec.rules[0].backendRefs[0].weight"),
        (lambda d: d["spec"]["rules"][0]["backendRefs"][0].update(weight="1"), "spec.rules[0].backendRefs[0].weight"),
        (
            lambda d: d["spec"]["rules"][0].update(matches=[{"method": {"service": NAME, "method": "Gone"}}]),
            "spec.rules[0].matches[0].method.method",
        ),
        (
            lambda d: d["spec"]["rules"][0].update(matches=[{"headers": [{"name": "a b", "value": "x"}]}]),
            "spec.rules[0].matches[0].headers[0].name",
        ),
        (lambda d: d["spec"]["rules"][0].update(timeouts={"request": "soon"}), "spec.rules[0].timeouts.request"),
        (lambda d: d["spec"]["rules"][0].update(matches="all"), "spec.rules[0].matches"),
        (lambda d: d["spec"].update(rules=[7]), "spec.rules[0]"),
        (lambda d: d["spec"].update(parentRefs=[]), "spec.parentRefs"),
        (lambda d: d.pop("spec"), "spec.parentRefs"),
    ],
)
def test_what_cannot_be_used_is_told_by_field(change, field: str) -> None:
    """A route that the mesh cannot keep to is refused, never read as something else."""
    with pytest.raises(RouteError) as caught:
        routes.read(_wrong(change), METHODS, BACKENDS)
    assert field in dict(caught.value.problems)


def test_all_problems_are_told_at_once() -> None:
    """Two mistakes give two problems."""

    def change(document: dict) -> None:
        document["spec"]["rules"][0]["backendRefs"][0].update(name="x", weight=0.5)

    with pytest.raises(RouteError) as caught:
        routes.read(_wrong(change), METHODS, BACKENDS)
    assert len(caught.value.problems) >= 2


@pytest.mark.parametrize(("text", "seconds"), [("250ms", 0.25), ("2s", 2), ("1h30m5s10ms", 5405.01)])
def test_durations_are_gateway_api_s(text: str, seconds: float) -> None:
    """Hours to milliseconds, in whole numbers."""
    assert routes.duration_s(text) == pytest.approx(seconds)
    for wrong in ("", "5", "1.5s", "-1s", "5d"):
        with pytest.raises(ValueError, match="duration"):
            routes.duration_s(wrong)
