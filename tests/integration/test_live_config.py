"""Live configuration through a real NATS: checked, applied without a restart, kept when bad, rolled back."""

from __future__ import annotations

import asyncio
import datetime

import pytest
from pydantic import BaseModel, ConfigDict, Field

from crossrate.events import Events, EventsUnavailable
from crossrate.runtime.live_config import ConfigConflict, ConfigStore, LiveConfig, NoSuchVersion
from tests.integration.conftest import eventually

pytestmark = pytest.mark.integration

NOW = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)


class Values(BaseModel):
    """What may change."""

    model_config = ConfigDict(frozen=True)
    rate_hz: float = Field(default=4.0, gt=0, le=100)
    pairs: tuple[str, ...] = ("EURUSD",)


@pytest.fixture
async def connections(nats_server):
    """control, which writes, and gamma, which reads."""
    made = [await Events.open(nats_server.runtime(name)) for name in ("control", "gamma")]
    yield made
    for events in made:
        await events.close()


async def test_a_change_applies_without_a_restart(connections):
    """What was stored before the start and what comes later both apply, and callbacks hear of the later."""
    control, gamma = connections
    store, config, heard = ConfigStore(control), LiveConfig(Values), []
    assert (await store.get("gamma")).version == 0
    await store.set("gamma", {"rate_hz": 8}, author="a", now=NOW)
    await config.watch(gamma)
    assert (config.current.rate_hz, config.version) == (8.0, 1)
    config.on_change(heard.append)
    await store.set("gamma", {"rate_hz": 9.5, "pairs": ["GBPUSD"]}, author="b", comment="why", now=NOW)
    await eventually(lambda: config.version == 2)
    assert heard == [Values(rate_hz=9.5, pairs=("GBPUSD",))]
    await config.close()


async def test_a_bad_document_changes_nothing_and_is_reported(connections):
    """The last good values stay in force, also when the document is not JSON; the next good one applies."""
    control, gamma = connections
    store, config = ConfigStore(control), LiveConfig(Values)
    await config.watch(gamma)
    await store.set("gamma", {"rate_hz": 5}, author="a", now=NOW)
    await store.set("gamma", {"rate_hz": -1, "pairs": "EURUSD"}, author="a", now=NOW)
    await eventually(lambda: "version 2" in config.error)
    assert (config.version, config.current.rate_hz) == (1, 5.0)
    assert "rate_hz: Input should be greater than 0" in config.error
    await control.kv("config").put("gamma", b"{")
    await eventually(lambda: "not a document" in config.error)
    assert config.version == 1
    await control.kv("config").put("gamma", b'{"version": 4, "values": {}}')
    await eventually(lambda: config.version == 4)
    assert (config.error, config.current.rate_hz) == ("", 4.0)
    await config.close()


async def test_history_conflicts_and_rollback(connections):
    """Versions count up, a writer that read an old one is refused, and a rollback is a new version."""
    store = ConfigStore(connections[0])
    for rate_hz in (1, 2, 3):
        await store.set("gamma", {"rate_hz": rate_hz}, author="a", comment=str(rate_hz), now=NOW)
    with pytest.raises(ConfigConflict) as conflict:
        await store.set("gamma", {}, author="a", expected_version=2, now=NOW)
    assert (conflict.value.expected, conflict.value.actual) == (2, 3)
    back = await store.rollback("gamma", 1, author="b", expected_version=3, now=NOW)
    assert (back.version, back.values, back.comment) == (4, {"rate_hz": 1}, "back to version 1")
    assert [kept.version for kept in await store.history("gamma")] == [4, 3, 2, 1]
    assert await store.get("gamma") == back
    with pytest.raises(NoSuchVersion):
        await store.rollback("gamma", 77, author="b", now=NOW)


async def test_writers_at_once_lose_no_version(connections):
    """Two stores that write at the same time give each change a version of its own."""
    stores = [ConfigStore(connections[0]) for _ in range(2)]
    await asyncio.gather(*(stores[n % 2].set("gamma", {"rate_hz": n + 1}, author="a", now=NOW) for n in range(20)))
    assert [kept.version for kept in await stores[0].history("gamma")] == list(range(20, 0, -1))


async def test_a_watch_survives_the_loss_of_nats(nats_server, connections):
    """A change that was made while the reader's connection was down is applied afterwards."""
    control, gamma = connections
    config = LiveConfig(Values)
    await config.watch(gamma)
    nats_server.kill("nats")
    await nats_server.start_nats()
    async with asyncio.timeout(60):
        while True:
            try:
                await ConfigStore(control).set("gamma", {"rate_hz": 7}, author="a", now=NOW)
                break
            except EventsUnavailable:
                await asyncio.sleep(0.05)
    await eventually(lambda: config.current.rate_hz == 7.0)
    await config.close()


async def test_whether_the_stored_values_are_known(nats_server, connections):
    """Not before they were read, nor while NATS is away at the start; then they are, also when nothing is stored."""
    control, gamma = connections
    config, late = LiveConfig(Values), LiveConfig(Values)
    assert not config.known
    await config.watch(gamma)
    assert config.known
    assert config.version == 0
    await ConfigStore(control).set("gamma", {"rate_hz": 7}, author="a", now=NOW)
    nats_server.kill("nats")
    await late.watch(gamma)
    assert not late.known
    assert late.current == Values()
    await nats_server.start_nats()
    await eventually(lambda: late.known)
    assert late.current.rate_hz == 7
    for each in (config, late):
        await each.close()


async def test_a_service_cannot_write_configuration(connections):
    """Only control may; a service's attempt is refused by NATS."""
    with pytest.raises(EventsUnavailable):
        await ConfigStore(connections[1]).set("gamma", {}, author="x", now=NOW)


def test_check_names_every_field():
    """Errors have the path of the field; good values come back whole."""
    config = LiveConfig(Values)
    errors, values = config.check({"rate_hz": 0, "pairs": "EURUSD", "rate": 3})
    assert values == {}
    assert errors == ["rate: Extra inputs are not permitted"]
    errors, _ = config.check({"rate_hz": 0, "pairs": "EURUSD"})
    assert [error.split(":")[0] for error in errors] == ["rate_hz", "pairs"]
    assert config.check({"rate_hz": 2}) == ([], {"rate_hz": 2.0, "pairs": ["EURUSD"]})
