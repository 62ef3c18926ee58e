"""The node with the real mesh: brought up, hurt, restarted, taken down."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.events import Events, EventsUnavailable
from crossrate.node import client as node
from crossrate.node.leftovers import AlreadyRunning
from crossrate.node.ports import Ports
from crossrate.node.postgres import PostgresServer
from crossrate.node.process import start_ticks
from crossrate.node.progress import Progress
from crossrate.runtime import topology
from crossrate.runtime.place import Place
from crossrate.runtime.topology import DEFAULT_PATH
from services.control.releases.nodes import Node, Running
from services.control.releases.released import Candidate
from services.marketdata.latest import STREAM
from tests.integration.conftest import Runtime

pytestmark = pytest.mark.integration


def environment(**more: str) -> dict[str, str]:
    """The environment of a mesh on free ports."""
    return os.environ | {"CROSSRATE_EDGE_PORT": "0"} | more


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A mesh that is up, for all tests of this file."""
    folder = tmp_path_factory.mktemp("n")
    own = Place(folder / "state", folder / "run")
    node.start_detached(own, env=environment())
    yield own
    node.stop(own)
    PostgresServer(own).remove()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """A place for a mesh of the test's own, gone afterwards."""
    place = Place(tmp_path / "state", tmp_path / "run")
    yield place
    node.stop(place)
    # Started by root, the database lies elsewhere, below an account that PostgreSQL accepts.
    PostgresServer(place).remove()


def rows(where: Place) -> dict[str, dict]:
    """Every process by name."""
    with node.NodeClient(where) as client:
        return {row["name"]: row for row in client.status()["processes"]}


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits for what other processes make true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def healthy(where: Place) -> bool:
    """Whether every process does its work."""
    with node.NodeClient(where) as client:
        return not client.status()["missing"]


def test_status_shows_every_process(where: Place) -> None:
    """Each process has an id, a memory size and is ready; the whole is healthy and what its parts are together. How
    much memory that is depends on who else shares the libraries' pages: the benchmark of the mesh measures it."""
    with node.NodeClient(where) as client:
        status = client.status()
    assert status["state"] == "healthy"
    assert status["missing"] == []
    expected = {"supervisor", "zygote", "nats", "postgres", "control-1", "edge", "node"}
    expected |= {"reference-1", "marketdata-1", "pricing-1", "risk-1", "trading-1", "pipeline-1", "ledger-1"}
    expected |= {"broker-1", "audit-1", "identity-1"}
    assert {row["name"] for row in status["processes"]} == expected
    for row in status["processes"]:
        assert start_ticks(row["pid"]), row
        assert row["pss_kib"] > 0, row
        assert row["restarts"] == 0, row
    assert status["pss_kib"] == sum(row["pss_kib"] for row in status["processes"])


def test_a_second_start_says_that_one_runs(where: Place) -> None:
    """Another start of the same place is refused and names the node."""
    before = {name: row["pid"] for name, row in rows(where).items()}
    with pytest.raises(AlreadyRunning, match=str(before["supervisor"])):
        node.start_detached(where, env=environment())
    assert {name: row["pid"] for name, row in rows(where).items()} == before


@pytest.mark.parametrize("victim", ["zygote", "nats", "postgres", "control-1", "edge", "node", "marketdata-1"])
def test_a_killed_process_comes_back(where: Place, victim: str) -> None:
    """After SIGKILL of any process the node starts it again, and the mesh is whole."""
    before = rows(where)[victim]
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: rows(where)[victim]["restarts"] > before["restarts"] and healthy(where))
    assert rows(where)[victim]["pid"] != before["pid"]


def test_the_node_tells_what_candidates_and_own_instances_take(where: Place) -> None:
    """Memory and processor time of both, and when it was read; the time only grows, and health checks make it grow."""
    asked = Node(where.run / "node.sock")

    def seen() -> Running:
        return asyncio.run(asked.candidates("reference"))

    def runs() -> bool:
        return [s.name for s in seen().candidates if s.processor_s and s.rss_mib] == ["reference-901"]

    try:
        asyncio.run(asked.ensure("reference", Candidate(version="2.0.0")))
        until(runs)
        first = seen()
        assert first.stable_processor_s.keys() == first.stable_rss_mib.keys() != set()
        until(lambda: seen().candidates[0].processor_s > first.candidates[0].processor_s)
        until(lambda: all(now > first.stable_processor_s[name] for name, now in seen().stable_processor_s.items()))
        assert seen().read_s > first.read_s > 0
    finally:
        asyncio.run(asked.end("reference"))
    assert seen().candidates == ()


async def last_values(where: Place) -> dict[str, int]:
    """Last sequence of every instrument that is told on NATS, as marketdata may read it."""
    events = await Events.open(Runtime("marketdata", where, topology.load()))
    try:
        found = [event async for event in events.replay(STREAM)]
    except EventsUnavailable:
        return {}
    finally:
        await events.close()
    quotes = [pb.Quote.FromString(event.payload) for event in found]
    return {quote.instrument: quote.sequence for quote in quotes}


def test_last_values_come_back_with_nats(where: Place) -> None:
    """The node makes the streams again that were only in memory, and soon all instruments are in them, not older."""
    until(lambda: asyncio.run(last_values(where)))
    before, nats = asyncio.run(last_values(where)), rows(where)["nats"]
    os.kill(nats["pid"], signal.SIGKILL)
    until(lambda: rows(where)["nats"]["restarts"] > nats["restarts"] and healthy(where))
    until(lambda: asyncio.run(last_values(where)).keys() >= before.keys())
    after = asyncio.run(last_values(where))
    assert all(after[name] >= sequence for name, sequence in before.items())


def test_a_restart_puts_the_new_instance_first(where: Place) -> None:
    """A restarted service has another instance, which was ready before the old one was told to stop."""
    old = next(row for name, row in rows(where).items() if name.startswith("reference-"))
    seen: list[Progress] = []
    with node.NodeClient(where) as client:
        names = client.restart("reference", seen.append)
    assert names != [old["name"]]
    states = [(p.name, p.state) for p in seen]
    assert states.index((names[0], "ready")) < states.index((old["name"], "stopping"))
    assert start_ticks(old["pid"]) is None
    assert not where.registration(old["name"]).exists()
    assert [n for n in rows(where) if n.startswith("reference-")] == names


@pytest.mark.parametrize("target", ["control", "edge", "nats", "postgres", "zygote"])
def test_everything_can_be_restarted(where: Place, target: str) -> None:
    """What is not a service restarts under its own name and is ready again when the restart returns."""
    with node.NodeClient(where) as client:
        (name,) = client.restart(target)
    assert name in (target, f"{target}-1")
    assert healthy(where)


def test_nonsense_is_refused_in_words(where: Place) -> None:
    """An unknown name is answered with the known ones; an unknown verb with the verbs."""
    with node.NodeClient(where) as client:
        with pytest.raises(node.NodeError, match="marketdata"):
            client.restart("nothing")
        with pytest.raises(node.NodeError, match="reference"):
            client.log_paths("nothing")
        assert where.log("nats") in client.log_paths("nats")
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(where.run / "node.sock"))
        raw.sendall(b'{"verb": "explode"}\n[1]\nnot json\n')
        lines = raw.makefile()
        assert all(json.loads(lines.readline())["ok"] is False for _ in range(3))


def test_a_killed_node_leaves_nothing_and_starts_again(own: Place) -> None:
    """After SIGKILL of the supervisor every process ends by itself, and the next start is healthy on the same data."""
    node.start_detached(own, env=environment())
    pids = {name: row["pid"] for name, row in rows(own).items()}
    os.kill(pids["supervisor"], signal.SIGKILL)
    until(lambda: not [name for name, pid in pids.items() if start_ticks(pid)])
    node.start_detached(own, env=environment())
    pids = {name: row["pid"] for name, row in rows(own).items()}
    assert node.stop(own) is True
    assert not [name for name, pid in pids.items() if start_ticks(pid)]
    assert not list(own.run.glob("*.sock"))
    assert node.stop(own) is False
    with pytest.raises(node.NotRunning):
        node.NodeClient(own)


def test_a_busy_edge_port_is_named(own: Place) -> None:
    """A start whose port is taken says by whom and what to do, and leaves nothing running."""
    port = Ports().take("edge")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(node.NodeError) as caught:
        node.start_detached(own, env=environment(CROSSRATE_EDGE_PORT=str(port)))
    assert f"process {os.getpid()}" in str(caught.value)
    assert "CROSSRATE_EDGE_PORT" in str(caught.value)
    assert node.stop(own) is False


def test_a_service_that_crashes_is_named_with_its_log(own: Place, tmp_path: Path) -> None:
    """A start with a service that has no program ends with that service's own words."""
    topology = tmp_path / "topology.toml"
    topology.write_text(DEFAULT_PATH.read_text() + "\n[services.nowhere]\n")
    with pytest.raises(node.NodeError, match=r"services\.nowhere"):
        node.start_detached(own, env=environment(CROSSRATE_TOPOLOGY=str(topology)))
    assert node.stop(own) is False


def test_a_start_can_be_stopped(own: Place) -> None:
    """A stop during the start ends what was started; the starter is told."""
    begun = threading.Event()
    failures: list[Exception] = []

    def start() -> None:
        try:
            node.start_detached(own, lambda _: begun.set(), env=environment())
        except node.NodeError as error:
            failures.append(error)

    starter = threading.Thread(target=start)
    starter.start()
    assert begun.wait(60)
    assert node.stop(own) is True
    starter.join(60)
    assert failures
    assert node.stop(own) is False
