"""The order and the bookkeeping of one discovery stream, message by message."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping

import pytest
import structlog

from services.control.ads import AdsServer, NotAcknowledgedError, RefusedError, _Stream
from services.control.envoy_api import message_class
from services.control.snapshots import TYPE_URLS, Snapshots
from services.control.state import Resources

NOW = dt.datetime(2026, 1, 31, tzinfo=dt.UTC)
NODE = "node"


class Talk:
    """A proxy's side of one stream."""

    def __init__(self) -> None:
        self.versions: list[int] = []
        self.server = AdsServer(Snapshots(0, NOW, self.versions.append), structlog.get_logger())
        self.stream = _Stream(self.server)
        self.server._connect(self.stream, NODE)

    def publish(self, clusters: Mapping[str, str] = (), routes: Mapping[str, str] = ()) -> int:
        """Offers clusters, each with its endpoints' address, and route tables, each to one cluster."""
        addresses = dict(clusters)
        resources = Resources(
            clusters={n: {"name": n, "type": "EDS", "alt_stat_name": a} for n, a in addresses.items()},
            endpoints={n: {"cluster_name": n} for n in addresses},
            listeners={"in": {"name": "in"}},
            routes={
                n: {"name": n, "virtual_hosts": [], "request_headers_to_remove": [c]} for n, c in dict(routes).items()
            },
        )
        return self.server.snapshots.publish({NODE: resources}, "test", NOW).version

    def ask(self, kind: str, *names: str, nonce: str = "", error: str = "") -> None:
        """Subscribes, acknowledges or refuses."""
        request = message_class("envoy.service.discovery.v3.DiscoveryRequest")()
        request.type_url, request.response_nonce = TYPE_URLS[kind], nonce
        request.resource_names.extend(names)
        if error:
            request.error_detail.message = error
        self.stream.receive(request)

    def next(self) -> tuple[str, list[str], str] | None:
        """What the server sends next: kind, names of the resources, nonce."""
        following = self.stream.next_response()
        if following is None:
            return None
        kind, response = following
        full_name = {"endpoints": "cluster_name"}
        names = []
        for resource in response.resources:
            message = message_class(resource.type_url.partition("/")[2]).FromString(resource.value)
            names.append(getattr(message, full_name.get(kind, "name")))
        return kind, names, response.nonce

    def take(self, kind: str, *names: str) -> list[str]:
        """The next response is of this kind; acknowledges it, subscribed to `names`, and returns what was in it."""
        sent = self.next()
        assert sent is not None
        assert sent[0] == kind
        self.ask(kind, *names, nonce=sent[2])
        return sent[1]

    def settle(self) -> None:
        """Connects as Envoy does and acknowledges everything."""
        self.ask("clusters")
        assert self.take("clusters")
        self.ask("endpoints", "a")
        self.take("endpoints", "a")
        self.ask("listeners")
        self.take("listeners")
        self.ask("routes", "r")
        self.take("routes", "r")
        assert self.next() is None


@pytest.fixture
async def talk() -> Talk:
    """A proxy that has one cluster, one listener and one table of routes."""
    talk = Talk()
    talk.publish({"a": "1"}, {"r": "a"})
    talk.settle()
    return talk


async def test_a_change_goes_out_kind_by_kind(talk: Talk) -> None:
    """Nothing of a later kind is sent before the earlier one is answered; a changed cluster's endpoints follow it."""
    talk.publish({"a": "2"}, {"r": "b"})
    kind, names, nonce = talk.next()
    assert (kind, names) == ("clusters", ["a"])
    assert talk.next() is None
    talk.ask("clusters", nonce=nonce)
    assert talk.take("endpoints", "a") == ["a"]
    assert talk.take("routes", "r") == ["r"]
    assert talk.next() is None


async def test_a_cluster_goes_after_the_routes_to_it(talk: Talk) -> None:
    """The old cluster stays until the routes that leave it are in force."""
    talk.publish({"b": "1"}, {"r": "b"})
    assert talk.take("clusters") == ["b", "a"]
    talk.ask("endpoints", "a", "b", nonce=talk.stream.subscriptions["endpoints"].nonce)
    assert talk.take("endpoints", "a", "b") == ["b"]
    assert talk.take("routes", "r") == ["r"]
    assert talk.take("clusters") == ["b"]
    assert talk.take("endpoints", "b") == ["b"]
    assert talk.next() is None


async def test_a_refusal_is_kept_and_the_next_good_change_applies(talk: Talk) -> None:
    """The refused kind is not sent again until it changes; other kinds go on; the proxy's words are kept."""
    version = talk.publish({"a": "1"}, {"r": "bad"})
    kind, _, nonce = talk.next()
    assert kind == "routes"
    talk.ask("routes", "r", nonce=nonce, error="no such thing")
    assert talk.next() is None
    answer = talk.server.proxies[NODE].acknowledgements["routes"]
    assert (answer.acknowledged_version, answer.refused_version, answer.refusal) == (
        version - 1,
        version,
        "no such thing",
    )
    with pytest.raises(RefusedError, match="no such thing"):
        await talk.server.acknowledged(version, 0.1)
    talk.publish({"a": "2"}, {"r": "bad"})
    assert talk.take("clusters") == ["a"]
    assert talk.take("endpoints", "a") == ["a"]
    assert talk.next() is None
    good = talk.publish({"a": "2"}, {"r": "good"})
    assert talk.take("routes", "r") == ["r"]
    assert talk.next() is None
    await talk.server.acknowledged(good, 0.1)
    assert answer.acknowledged_version > answer.refused_version


async def test_a_stale_answer_changes_nothing(talk: Talk) -> None:
    """An answer to a response that a newer one has overtaken is neither acknowledgement nor refusal."""
    before = talk.server.proxies[NODE].acknowledgements["routes"].acknowledged_version
    talk.publish({"a": "1"}, {"r": "new"})
    talk.next()
    talk.ask("routes", "r", nonce="routes-0", error="old news")
    answer = talk.server.proxies[NODE].acknowledgements["routes"]
    assert (answer.acknowledged_version, answer.refused_version) == (before, 0)
    assert talk.stream.waits


async def test_new_names_are_answered_and_fewer_are_not(talk: Talk) -> None:
    """A proxy that asks for more gets all that it asks for; one that asks for less gets nothing new."""
    talk.publish({"a": "1", "b": "1"}, {"r": "a"})
    assert talk.take("clusters") == ["a", "b"]
    assert talk.take("endpoints", "a", "b") == ["a"]
    assert talk.take("endpoints", "a", "b") == ["a", "b"]
    talk.ask("endpoints", "b", nonce=talk.stream.subscriptions["endpoints"].nonce)
    assert talk.next() is None


async def test_an_unchanged_mesh_makes_no_snapshot(talk: Talk) -> None:
    """Publishing the same again neither counts up nor sends anything."""
    version = talk.server.snapshots.current.version
    assert talk.publish({"a": "1"}, {"r": "a"}) == version
    assert talk.next() is None
    assert talk.versions == [1]


async def test_waiting_for_a_silent_proxy_ends(talk: Talk) -> None:
    """Who waits for an acknowledgement that does not come is told which proxy owes it; the stream goes on."""
    version = talk.publish({"a": "2"}, {"r": "b"})
    assert talk.next() is not None
    with pytest.raises(NotAcknowledgedError, match=NODE):
        await talk.server.acknowledged(version, 0.05)
    talk.stream.give_up_waiting()
    assert talk.next()[0] == "endpoints"


async def test_nobody_connected_is_nobody_to_wait_for() -> None:
    """Without proxies a snapshot counts as acknowledged."""
    server = AdsServer(Snapshots(41, NOW, lambda version: None), structlog.get_logger())
    version = server.snapshots.publish({NODE: Resources(listeners={"l": {"name": "l"}})}, "test", NOW).version
    assert version == 42
    async with asyncio.timeout(60):
        await server.acknowledged(version, 0.5)
