"""Ports of one start."""

import os
import socket
from pathlib import Path

import pytest

from crossrate.node import ports
from crossrate.rpc import metrics_listener
from crossrate.runtime.place import Place
from crossrate.runtime.topology import load


def test_a_port_is_given_once_and_low() -> None:
    """No port is given twice, and none is in the kernel's own range."""
    giver = ports.Ports(seed=1)
    given = [giver.take("x") for _ in range(20)]
    assert len(set(given)) == 20
    assert all(ports.FIRST <= p <= ports.LAST for p in given)
    giver.close()


def test_the_port_of_the_last_start_comes_first() -> None:
    """A free port of the start before is taken again; a busy one is not."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        before = ports.Ports(seed=2)
        wanted = before.take("nats")
        before.close()
        giver = ports.Ports({"nats": wanted, "inbound": {"reference": wanted}})
        assert giver.take("nats") == wanted
        assert giver.take("inbound", "reference") != wanted


def test_a_port_that_nobody_listens_on_yet_is_reserved() -> None:
    """Of two starts at the same time none is given what the other has been given, until that one is over."""
    first = ports.Ports(seed=3)
    wanted = first.take("nats")
    second, third = ports.Ports({"nats": wanted}), ports.Ports({"nats": wanted})
    assert second.take("nats") != wanted
    first.close()
    assert third.take("nats") == wanted
    for each in (second, third):
        each.close()


def test_metrics_have_ports_of_their_own() -> None:
    """A service that starts before the proxies listen cannot take one of their ports, nor one of the kernel's."""
    assert metrics_listener.PORTS.start > ports.LAST
    assert metrics_listener.PORTS.stop - 1 == ports.HIGHEST < 32_768


def test_a_busy_port_names_its_owner() -> None:
    """Who has the wanted port is in the error, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ports.PortError) as caught:
        ports.Ports().claim(server.getsockname()[1], "127.0.0.1", "the edge", "choose another")
    assert f"process {os.getpid()}" in str(caught.value)
    assert "choose another" in str(caught.value)


def test_a_start_writes_its_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every service has an inbound port, and the next start has the same ports."""
    monkeypatch.setenv("CROSSRATE_EDGE_PORT", "0")
    where = Place(tmp_path / "state", tmp_path / "run").make()
    topology = load()
    first = ports.Ports()
    taken = ports.assign(where, topology, first)
    assert set(taken["inbound"]) == set(topology.services)
    first.close()
    second = ports.Ports(ports.read(where))
    assert ports.read(where) == taken == ports.assign(where, topology, second)
    second.close()
    monkeypatch.setenv("CROSSRATE_EDGE_PORT", "https")
    with pytest.raises(ports.PortError, match="CROSSRATE_EDGE_PORT"):
        ports.assign(where, topology, ports.Ports())
