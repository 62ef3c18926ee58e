"""Rolling releases on a real mesh with three instances: no call and no stream fails, and there are never fewer.

Candidates of the long tests are programs that say in each answer which version gave it; they start slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from crossrate.api.control.v1 import release_pb2
from tests import quote_streams
from tests.candidates import callers
from tests.candidates.callers import Callers, Streams
from tests.candidates.stand import Stand, decided
from tests.integration.envoys import until
from tests.releasing import MARKETDATA, RELEASING, releasing
from tests.system.release_steps import pid_of, processes

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

OF = 3
TABLE = "[services.marketdata]\n"
TOPOLOGY = RELEASING + MARKETDATA.replace(TABLE, f"{TABLE}instances = {OF}\n")
KEYS = [f"key-{number}" for number in range(40)]
RULES = """
[sticky]
header = "x-key"
[abort]
ready_within = "5m"
answers_within = "1m"
"""
"""Bounds that a machine which stands still for some seconds does not reach."""
WITHIN_S = 240.0


TOLD = [
    *((0, 3, 0), (1, 2, 3333), (1, 2, 3333), (2, 1, 6667), (2, 1, 6667), (3, 0, 10_000)),
    *((3, 0, 10_000), (3, 0, 6667), (3, 0, 3333), (3, 0, 0)),
]
"""New and old instances and the new ones' share after each decision of one that is promoted."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory) -> AsyncIterator[Stand]:
    """One mesh for all of these tests, with three instances of marketdata."""
    with releasing(folder := tmp_path_factory.mktemp("rolling"), TOPOLOGY) as mesh:
        stand = Stand(folder, mesh)
        yield stand
        await stand.close()


def specify(stand: Stand, name: str, fault: str = "none", *gated: int) -> str:
    """A rolling release that is its name, of marketdata, with manual gates at some numbers of new instances."""
    steps = "".join(f'[[steps]]\ninstances = {number}\nduration = "1s"\ngate = "manual"\n' for number in gated)
    stand.specify(name, "marketdata", fault, steps + RULES)
    path = stand.folder / "releases" / f"{name}.toml"
    path.write_text(f'strategy = "rolling"\nhold = "1s"\n{path.read_text()}')
    return name


class Load:
    """Calls and streams, and how few instances were registered meanwhile."""

    def __init__(self, stand: Stand, version: str) -> None:
        self._stand, self._watching = stand, True
        self.callers = Callers(stand.lean_channel, KEYS, 3, 100)
        self.callers.candidate = version
        self.streams = Streams(stand.mesh, 3, 20)
        self.fewest = OF

    async def _count(self) -> None:
        while self._watching:
            self.fewest = min(self.fewest, len(list(registrations(self._stand))))
            await asyncio.sleep(0.02)

    async def turn(self) -> None:
        """From now on keys go back to the old version, once each has been where it is to go now."""
        await self.callers.sweep()
        self.callers.backwards = True

    @contextlib.asynccontextmanager
    async def loading(self) -> AsyncIterator[None]:
        """Calls until the block is left; then nothing may have failed."""
        counting = asyncio.create_task(self._count())
        try:
            async with self.callers.calling(), self.streams.streaming():
                await until(lambda: self.callers.calls > 50 and self.streams.messages > 20, WITHIN_S)
                yield
                seen, ended = self.callers.calls, self.streams.ended
                await until(lambda: self.callers.calls > seen + 50 and self.streams.ended > ended + 1, WITHIN_S)
        finally:
            self._watching = False
            await counting
        assert (self.callers.failures, self.streams.failures, self.callers.mixed) == ({}, {}, [])
        assert self.fewest == OF


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams may be silent, and calls take, for as long as a busy machine needs."""
    monkeypatch.setattr(quote_streams, "SILENCE_S_MAX", 60.0)
    monkeypatch.setattr(callers, "CALL_S_MAX", 60.0)


def registrations(stand: Stand) -> Iterator[Path]:
    """Registrations of marketdata's instances, the service's own and candidates."""
    return stand.mesh.place.registrations.glob("marketdata-*.json")


def versions(stand: Stand) -> list[str]:
    """Their versions."""
    found = []
    for path in registrations(stand):
        with contextlib.suppress(FileNotFoundError):
            found.append(json.loads(path.read_text())["version"])
    return found


async def become(stand: Stand, name: str, condition: Callable[[release_pb2.Release], bool]) -> release_pb2.Release:
    """Returns a release when a condition holds; control may be away meanwhile."""

    async def there() -> release_pb2.Release | None:
        with contextlib.suppress(grpc.aio.AioRpcError):
            release = await stand.get(name)
            if condition(release):
                return release
        return None

    return await until(there, WITHIN_S)


def at(new: int) -> Callable[[release_pb2.Release], bool]:
    """Whether a release stands at so many new instances, and runs no more of either version than it means there."""

    def there(release: release_pb2.Release) -> bool:
        stepping = release.phase == release_pb2.RELEASE_PHASE_STEPPING and release.step >= 0
        seen = (release.instances.new_version, release.instances.old_version)
        return stepping and release.steps[release.step].instances == new and seen == (new, max(1, OF - new))

    return there


def over(*phases: str) -> Callable[[release_pb2.Release], bool]:
    """Whether a release is in one of some phases."""
    wanted = {release_pb2.ReleasePhase.Value(f"RELEASE_PHASE_{phase.upper()}") for phase in phases}
    return lambda release: release.phase in wanted


async def only_own(stand: Stand) -> list[str]:
    """Names of the instances, once no candidate is left."""

    async def left() -> list[str]:
        found = [p for p in await asyncio.to_thread(processes, stand.mesh) if p["name"].startswith("marketdata-")]
        return [] if any(p["kind"] == "candidate" for p in found) else [p["name"] for p in found]

    return await until(left, WITHIN_S)


async def test_all_instances_are_replaced(stand: Stand) -> None:
    """One after the other, without a word from anybody; in the end those of the service are the new version, and every
    decision says how many are new. The next release of it finds three of them."""
    for name in ("first", "second"):
        specify(stand, name)
        path = stand.folder / "releases" / f"{name}.toml"
        path.write_text("".join(line for line in path.open() if not line.startswith(("command", "environment"))))
    load = Load(stand, "first")
    async with load.loading():
        await stand.start("first")
        release = await become(stand, "first", over("promoted", "aborted"))
        assert len(await only_own(stand)) == OF
    assert release.phase == release_pb2.RELEASE_PHASE_PROMOTED, release.cause
    assert versions(stand) == ["first"] * OF
    assert [(d.instances.new_version, d.instances.old_version, d.weight_bp) for d in release.decisions] == TOLD
    assert "2 new, 1 old of 3" in stand.mesh.command("release", "explain", "first")
    assert "1 of 3 instances for 1 s" in stand.mesh.command("release", "start", "second", "--dry-run")


@pytest.mark.long
@pytest.mark.parametrize("new", [1, 2])
async def test_a_word_brings_the_old_instances_back(stand: Stand, new: int) -> None:
    """At one and at two of three new instances: all calls go to the old ones left, which are three again."""
    name, before = specify(stand, f"word-{new}", "none", new), set(versions(stand))
    load = Load(stand, name)
    async with load.loading():
        await stand.start(name)
        release = await become(stand, name, at(new))
        assert release.weight_bp == round(10_000 * new / OF)
        await load.turn()
        answer = await stand.abort(name)
        assert (answer.phase, answer.weight_bp) == (release_pb2.RELEASE_PHASE_ABORTING, 0)
        await become(stand, name, over("aborted"))
        assert len(await only_own(stand)) == OF
    assert set(versions(stand)) == before


@pytest.mark.long
async def test_new_instances_that_fall_ill_are_taken_back(stand: Stand, tmp_path: Path) -> None:
    """Both of them stop serving: the one old instance that is left answers until there are three again."""
    name, before = specify(stand, "ill", f"unhealthy:{tmp_path / 'ill'}", 2), set(versions(stand))
    load = Load(stand, name)
    async with load.loading():
        await stand.start(name)
        await become(stand, name, at(2))
        await load.turn()
        (tmp_path / "ill").touch()
        release = await become(stand, name, over("aborted"))
        assert len(await only_own(stand)) == OF
    assert "of 2 candidate instances serve" in decided(release, "aborting").cause
    assert set(versions(stand)) == before


@pytest.mark.long
async def test_what_cannot_become_the_service_is_taken_back(stand: Stand) -> None:
    """The last old instance goes on until a new one is there, which never is: three old ones serve again."""
    name, before = specify(stand, "proud", "promoted", OF), set(versions(stand))
    load = Load(stand, name)
    async with load.loading():
        await stand.start(name)
        await become(stand, name, at(OF))
        await load.turn()
        await stand.promote(name)
        release = await become(stand, name, over("promoted", "aborted"))
        assert len(await only_own(stand)) == OF
    assert decided(release, "aborting").cause.startswith("it could not be promoted: ")
    assert set(versions(stand)) == before


@pytest.mark.long
async def test_a_kill_of_control_in_the_middle_changes_nothing(stand: Stand) -> None:
    """It goes on from the same step: each key goes to the new version once and stays, no call and no stream fails, and
    in the end the three instances of the service are the new version."""
    name = specify(stand, "good", "none", 1)
    load = Load(stand, name)
    async with load.loading():
        await stand.start(name)
        await become(stand, name, at(1))
        control = pid_of(stand.mesh, "control")
        os.kill(control, signal.SIGKILL)
        await until(lambda: pid_of(stand.mesh, "control") not in (0, control), WITHIN_S)
        await become(stand, name, at(1))
        await stand.promote(name)
        release = await become(stand, name, over("promoted", "aborted"))
        assert len(await only_own(stand)) == OF
    assert release.phase == release_pb2.RELEASE_PHASE_PROMOTED, release.cause
    assert set(versions(stand)) == {name}
    assert [(d.instances.new_version, d.instances.old_version, d.weight_bp) for d in release.decisions] == TOLD


@pytest.mark.long
async def test_a_rolling_release_outlives_its_node(stand: Stand) -> None:
    """Killed with everything that it runs at two of three, it goes on there when the mesh is up again: the new
    instances are started before an old one ends."""
    name = specify(stand, "restarted", "none", 2)
    await stand.start(name)
    await become(stand, name, at(2))
    before = len((await stand.get(name)).decisions)
    node = pid_of(stand.mesh, "supervisor")
    os.kill(node, signal.SIGKILL)
    await until(lambda: not Path(f"/proc/{node}").exists(), WITHIN_S)
    await asyncio.to_thread(stand.mesh.up)
    release = await become(stand, name, lambda release: at(2)(release) or over("aborted")(release))
    assert release.phase == release_pb2.RELEASE_PHASE_STEPPING, release.cause
    assert len(release.decisions) == before
    load = Load(stand, name)
    async with load.loading():
        await stand.promote(name)
        await become(stand, name, over("promoted", "aborted"))
        assert len(await only_own(stand)) == OF
    assert set(versions(stand)) == {name}
