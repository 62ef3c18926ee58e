"""Which venue an order goes to, and what the files that say so must hold."""

from __future__ import annotations

import pytest

from crossrate.api.trading.v1 import order_pb2
from services.broker.domain.routing import NoVenue, Rule, Standing, choose
from services.broker.engine.router import Router
from services.broker.gateway import declared as fix_clients
from services.broker.venues import declared

READY, AWAY = Standing(True, True), Standing(False, True, "its session is away")
DRAINING = Standing(False, False, "it was set draining by ops: maintenance")
RULES = [
    Rule(("EUR/USD",), ("alpha", "fund-*"), ("b", "a")),
    Rule(("*/JPY",), ("*",), ("c",)),
    Rule(("*",), ("*",), ("a", "b")),
]


@pytest.mark.parametrize(
    ("instrument", "account", "standings", "expected"),
    [
        ("EUR/USD", "alpha", {"a": READY, "b": READY, "c": READY}, "b"),
        ("EUR/USD", "fund-7", {"a": READY, "b": AWAY, "c": READY}, "a"),
        ("EUR/USD", "other", {"a": READY, "b": READY, "c": READY}, "a"),
        ("USD/JPY", "alpha", {"a": READY, "b": READY, "c": READY}, "c"),
        ("GBP/USD", "alpha", {"a": AWAY, "b": AWAY, "c": READY}, "a"),
        ("GBP/USD", "alpha", {"a": DRAINING, "b": AWAY, "c": READY}, "b"),
    ],
)
def test_the_first_route_that_fits_and_its_first_venue_that_is_ready(instrument, account, standings, expected) -> None:
    """If none is ready, the first that is enabled gets it, and there it waits."""
    assert choose(RULES, standings, instrument, account) == expected


def test_a_pin_decides_whatever_the_routes_say() -> None:
    """A venue that is away keeps its orders; one that takes none, or is not there, refuses in words."""
    standings = {"a": READY, "b": AWAY, "c": DRAINING}
    assert choose(RULES, standings, "EUR/USD", "alpha", "b") == "b"
    with pytest.raises(NoVenue, match="does not take orders: it was set draining"):
        choose(RULES, standings, "EUR/USD", "alpha", "c")
    with pytest.raises(NoVenue, match="no venue 'x'"):
        choose(RULES, standings, "EUR/USD", "alpha", "x")


def test_what_was_tried_is_not_tried_again() -> None:
    """The next venue of the route gets an order that could not be sent; behind the last there is none."""
    standings = {"a": READY, "b": READY, "c": READY}
    assert choose(RULES, standings, "EUR/USD", "alpha", tried=frozenset({"b"})) == "a"
    with pytest.raises(NoVenue, match="no venue of the route"):
        choose(RULES, standings, "EUR/USD", "alpha", tried=frozenset({"a", "b"}))


def test_no_route_is_a_refusal() -> None:
    """It names the file in which one would be."""
    with pytest.raises(NoVenue, match=r"mesh/venues\.toml"):
        choose(RULES[:1], {"a": READY}, "GBP/USD", "alpha")


def test_the_files_of_the_mesh_are_right() -> None:
    """Both can be read as they are."""
    assert "sim" in declared.load().venues
    assert fix_clients.load().clients == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[venues.sim]\nkind = "simulated"\n[[routes]]\nvenues = ["other"]', "no venue 'other'"),
        ('[venues.sim]\nkind = "simulated"\nspeed = 1\n[[routes]]\nvenues = ["sim"]', "venues.sim.speed"),
        ('[venues.sim]\nkind = "simulated"\nreject_rate = 2\n[[routes]]\nvenues = ["sim"]', "reject_rate"),
        ("[venues.sim", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_field(text: str, words: str) -> None:
    """The message names the file and the field."""
    with pytest.raises(declared.VenuesInvalid, match=words) as refused:
        declared.parse(text, "venues.toml")
    assert str(refused.value).startswith("venues.toml: ")


def test_passwords_do_not_go_over_a_network_in_plain_text() -> None:
    """An address beyond loopback needs a certificate."""
    with pytest.raises(ValueError, match="TLS"):
        fix_clients.Gateway(address="0.0.0.0")
    assert fix_clients.Gateway(address="0.0.0.0", certificate="edge.pem").port == 9880


def test_what_a_venue_does_not_deal_goes_to_the_next_one() -> None:
    """Of a route that has one that deals it; where none does, the first says why not."""
    rules = [Rule(("*",), ("*",), ("spot", "dated"))]
    standings = {"spot": Standing(True, True), "dated": Standing(True, True)}
    assert choose(rules, standings, "EUR/USD", "alpha", unable=frozenset({"spot"})) == "dated"
    assert choose(rules, standings, "EUR/USD", "alpha", unable=frozenset({"spot", "dated"})) == "spot"
    assert choose(rules, standings, "EUR/USD", "alpha", "spot", unable=frozenset({"spot"})) == "spot"


VENUES = """
[venues.prime]
kind = "fix"
host = "127.0.0.1"
port = 4001
sender_comp_id = "HOUSE"
target_comp_id = "PRIME"
deals = ["forward", "swap"]
[venues.sim]
kind = "simulated"
[[routes]]
venues = ["prime", "sim"]
"""


def test_a_limit_on_swap_points_goes_past_a_fix_venue() -> None:
    """It has no word for that; a swap at the market it deals, and a forward with a limit."""
    router = Router(declared.parse(VENUES, "venues.toml"), None, None, 1.0)
    market = order_pb2.Order(terms=order_pb2.NewOrder(instrument="EUR/USD", account="alpha"))
    market.terms.far_leg.settlement.tenor = "1M"
    limited = order_pb2.Order(terms=market.terms)
    limited.terms.limit_price = "0"
    forward = order_pb2.Order(terms=order_pb2.NewOrder(limit_price="1.08"))
    forward.terms.settlement.tenor = "1M"
    for order, expected in ((market, "prime"), (limited, "sim"), (forward, "prime")):
        found = choose(router.rules, {"prime": READY, "sim": READY}, "EUR/USD", "alpha", unable=router.unable(order))
        assert found == expected
