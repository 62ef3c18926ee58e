"""Releases of a real program on a real mesh: promoted when good, taken back when not, and no call lost on the way."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import nats
import pytest
from google.protobuf import json_format

from crossrate.api.control.v1 import release_pb2
from crossrate.api.control.v1 import release_service_pb2 as release_pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.node.client import NodeClient
from tests.integration.envoys import until
from tests.mesh import Mesh

pytestmark = pytest.mark.system

CALLERS = 4
TOPOLOGY = """
trust_domain = "crossrate"
layout = "node"

[edge]
address = "127.0.0.1"
port = 8443
anonymous_roles = []
cors_origins = []
connections_max = 1000
streams_per_connection_max = 100

[clients.local]
roles = ["viewer", "operator", "auditor"]
accounts = ["*"]
step_up = true

[clients.viewer]
roles = ["viewer"]

[certificates]
workload_lifetime_s = 3600
root_lifetime_s = 31536000

[services.control]
calls = []
publishes = ["crossrate.control.v1.>"]
database = false

[services.reference]
calls = []
publishes = ["crossrate.reference.v1.>"]
database = true

[services.audit]
calls = []
publishes = ["crossrate.audit.v1.>"]
consumes = ["control"]
database = true

[streams.control]
owner = "control"
subjects = ["crossrate.control.v1.release_decided.*"]
max_age_s = 2592000
max_mib = 64

[streams.reference]
owner = "reference"
subjects = ["crossrate.reference.v1.>"]
max_age_s = 2592000
max_mib = 64

[publishers.monitoring]
publishes = ["crossrate.control.v1.alerts_in.>"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A topology of two services, with room for specifications beside it."""
    folder = tmp_path_factory.mktemp("releases")
    (folder / "topology.toml").write_text(TOPOLOGY)
    (folder / "releases").mkdir()
    return folder


@pytest.fixture(scope="module")
def mesh(folder: Path) -> Iterator[Mesh]:
    """One mesh for all of these tests."""
    with Mesh(folder / "topology.toml") as own:
        own.up()
        yield own


def specify(folder: Path, name: str, fault: str, steps: str, more: str = "") -> str:
    """Writes a specification; its version is its name."""
    (folder / "releases" / f"{name}.toml").write_text(
        f'service = "reference"\n{more}\n'
        f'[candidate]\nversion = "{name}"\ncommand = ["python", "-m", "tests.candidate"]\n'
        f'environment = {{ CROSSRATE_REFERENCE_FAULT = "{fault}" }}\n{steps}'
    )
    return name


def step(weight_percent: float, duration: str, gate: str = "none") -> str:
    """One step in TOML."""
    return f'[[steps]]\nweight_percent = {weight_percent}\nduration = "{duration}"\ngate = "{gate}"\n'


class Callers:
    """Callers of GetInstrument through the edge, without repeats of their own."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._leaving = False
        self.calls = 0
        self.failures: collections.Counter[str] = collections.Counter()

    async def _call(self) -> None:
        async with self._mesh.edge_channel() as channel:
            stub = reference_grpc.ReferenceServiceStub(channel)
            while not self._leaving:
                try:
                    await stub.GetInstrument(reference.GetInstrumentRequest(base="EUR", counter="USD"), timeout=20)
                except grpc.aio.AioRpcError as error:
                    self.failures[f"{error.code().name} {error.details()}"] += 1
                self.calls += 1

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Calls until the block is left."""
        tasks = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
        try:
            await until(lambda: self.calls > 20)
            yield
        finally:
            self._leaving = True
            await asyncio.gather(*tasks)


async def command(mesh: Mesh, *arguments: str) -> Any:
    """What `crossrate release …` answers, while the callers go on."""
    return await asyncio.to_thread(mesh.json, "release", *arguments)


async def become(mesh: Mesh, name: str, *phases: str) -> dict[str, Any]:
    """Returns a release when it is in one of some phases."""

    async def there() -> dict[str, Any] | None:
        # Control may be away.
        with contextlib.suppress(grpc.aio.AioRpcError):
            async with mesh.control_channel() as channel:
                asked = release_grpc.ReleaseServiceStub(channel).GetRelease(
                    release_pb.GetReleaseRequest(release=name), timeout=20
                )
                release = json_format.MessageToDict((await asked).release, always_print_fields_with_no_presence=True)
            if release["phase"].removeprefix("RELEASE_PHASE_").lower() in phases:
                return release
        return None

    return await until(there, 120)


def processes(mesh: Mesh) -> list[dict[str, Any]]:
    """The mesh's processes, as the node tells them."""
    with NodeClient(mesh.place) as node:
        return node.status()["processes"]


def pid_of(mesh: Mesh, kind: str) -> int:
    """Process id of the one process of a kind."""
    (found,) = (p["pid"] for p in processes(mesh) if p["kind"] == kind)
    return found


def versions(mesh: Mesh) -> set[str]:
    """Versions of the instances that are registered."""
    return {json.loads(p.read_text())["version"] for p in mesh.place.registrations.glob("reference-*.json")}


def aborted_cause(release: dict[str, Any]) -> str:
    """Why a release was taken back."""
    return next(d["cause"] for d in release["decisions"] if d["kind"] == "RELEASE_DECISION_KIND_ABORTING")


async def audited(mesh: Mesh, name: str, count: int) -> list[dict[str, Any]] | None:
    """The leaves of a release's decisions in their order, once there are so many."""
    found = await asyncio.to_thread(mesh.command, "audit", "search", "--type", "ReleaseDecided", "--json", check=False)
    facts = [json.loads(line) for line in found.splitlines()]
    facts = [fact for fact in facts if fact["body"]["releaseName"] == name]
    return facts[::-1] if len(facts) >= count else None


def calls_by_side(release: dict[str, Any]) -> collections.Counter[bool]:
    """How many calls were seen of the stable version (False) and of the candidate."""
    found: collections.Counter[bool] = collections.Counter()
    for each in release.get("calls", ()):
        found[each.get("candidate", False)] += int(each["calls"])
    return found


def kept_calls(mesh: Mesh) -> int:
    """How many calls control has written down of the release that is under way."""
    found = 0
    for path in (mesh.place.state / "control" / "evidence").glob("*.json"):
        document = json.loads(path.read_text())
        assert document["analysis"]["tests"]["errors"][""]["total"][1] > 0
        found += sum(sum(codes.values()) for _, _, codes, _ in document["calls"])
    return found


async def gone(mesh: Mesh) -> bool:
    """Whether no candidate runs any more."""
    return not any(p["kind"] == "candidate" for p in await asyncio.to_thread(processes, mesh))


async def test_a_good_candidate_becomes_the_service(mesh: Mesh, folder: Path) -> None:
    """Through all steps, a kill of control in the middle, and promotion no call fails; the share is what the step says;
    each step waits until the analysis has passed; afterwards every instance is the new version, and after a restart."""
    # Wide tolerances: that two equal programs are alike is soon shown, and a busy machine does not look like a bad one.
    analysis = "[analysis]\nerrors_absolute = 0.1\nlatency_quantile = 0.5\nlatency_relative = 9.0\nalpha = 0.0001\n"
    name = specify(folder, "good", "none", step(10, "1s") + step(50, "1h", "manual") + step(90, "1s") + analysis)
    callers = Callers(mesh)
    async with callers.calling():
        assert (await command(mesh, "start", name))["phase"] == "RELEASE_PHASE_STARTING"
        watching = asyncio.create_task(asyncio.to_thread(mesh.command, "release", "watch", name, "--json"))

        async def at_second_step() -> bool:
            return (await become(mesh, name, "stepping"))["step"] == 1

        await until(at_second_step, 120)
        control = pid_of(mesh, "control")
        kept = await until(lambda: kept_calls(mesh), 20)
        os.kill(control, signal.SIGKILL)

        async def taken_over() -> bool:
            release = await become(mesh, name, "stepping")
            seen = calls_by_side(release)
            return release["weightBp"] == 5000 and sum(seen.values()) > kept + more

        more = 100
        await until(taken_over, 120)
        assert pid_of(mesh, "control") != control
        before = calls_by_side(await become(mesh, name, "stepping"))
        # None of what was written down before the kill is lost, and none is counted twice.
        assert kept <= sum(before.values()) <= callers.calls
        more = 600
        await until(taken_over, 120)
        seen = calls_by_side(await become(mesh, name, "stepping"))
        count = sum(seen.values()) - sum(before.values())
        share = (seen[True] - before[True]) / count
        assert abs(share - 0.5) < 5 * 0.5 / count**0.5
        await command(mesh, "promote", name, "-m", "looks well")
        release = await become(mesh, name, "promoted")
    assert callers.failures == {}
    kinds = [d["kind"].removeprefix("RELEASE_DECISION_KIND_").lower() for d in release["decisions"]]
    assert kinds == ["started", "stepped", "stepped", "stepped", "promoting", "promoted"]
    assert release["decisions"][3]["cause"] == "looks well"
    # Each once, though control was killed in the middle.
    watched = [json.loads(line)["kind"].rpartition("_")[2].lower() for line in (await watching).splitlines()]
    assert watched == kinds
    outcomes = {(v["metric"], v.get("segment", "")): v["outcome"] for v in release["verdicts"]}
    assert outcomes["errors", ""] == outcomes["latency", ""] == "RELEASE_OUTCOME_PASS"
    assert "passes: " in mesh.command("release", "explain", name)
    await until(lambda: gone(mesh))
    facts = await until(lambda: audited(mesh, name, len(kinds)), 30)
    assert [fact["body"]["kind"].rpartition("_")[2].lower() for fact in facts] == kinds
    assert [fact["body"].get("weightBp", 0) for fact in facts] == [d.get("weightBp", 0) for d in release["decisions"]]
    assert (facts[3]["body"]["explanation"], facts[3]["body"]["decidedBy"]) == ("looks well", "local")
    assert {c.get("candidate", False) for c in facts[4]["body"]["calls"]} == {True, False}
    file = folder / "report.json"
    mesh.command("release", "report", name, "-o", str(file))
    report = mesh.json("release", "verify", str(file))
    assert [d["kind"] for d in report["decisions"]] == kinds
    assert "errors passes" in " ".join(report["decisions"][-2]["evidence"])
    assert report["decisions"][-2]["tally"]["candidate"] > 500
    file.write_text(file.read_text().replace("looks well", "looks bad"))
    assert "changed after it was signed" in mesh.refused("release", "verify", str(file))
    assert versions(mesh) == {name}
    mesh.command("restart", "reference")
    assert versions(mesh) == {name}


@pytest.mark.parametrize(
    ("fault", "cause"), [("crash", "crashed"), ("contract", 'RPC "ListCurrencies" on service "ReferenceService"')]
)
async def test_a_candidate_that_cannot_serve_gets_no_call(mesh: Mesh, folder: Path, fault: str, cause: str) -> None:
    """One that crashes at its start, or whose contract has lost a method, is ended before any weight moves, and the
    release says why."""
    name = specify(folder, f"bad-{fault}", fault, step(50, "1s"))
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        release = await become(mesh, name, "aborted")
    assert cause in aborted_cause(release)
    assert all(d.get("weightBp", 0) == 0 for d in release["decisions"])
    assert not [c for c in release.get("calls", ()) if c.get("candidate")]
    assert callers.failures == {}
    await until(lambda: gone(mesh))


async def test_a_candidate_whose_health_fails_is_taken_back(mesh: Mesh, folder: Path, tmp_path: Path) -> None:
    """When the candidate stops serving at 50 %, the stable version has all calls again, and none has failed."""
    switch = tmp_path / "ill"
    name = specify(folder, "ill", f"unhealthy:{switch}", step(50, "1h"))
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        before = callers.calls
        await until(lambda: callers.calls > before + 50)
        switch.touch()
        release = await become(mesh, name, "aborted")
    assert "0 of 1 candidate instances serve" in aborted_cause(release)
    assert callers.failures == {}
    await until(lambda: gone(mesh))


async def test_a_candidate_that_is_killed_is_taken_back(mesh: Mesh, folder: Path) -> None:
    """SIGKILL of a candidate that has all calls fails none of them that may be repeated."""
    name = specify(folder, "killed", "none", step(100, "1h"))
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        before = callers.calls
        await until(lambda: callers.calls > before + 50)
        os.kill(pid_of(mesh, "candidate"), signal.SIGKILL)
        await become(mesh, name, "aborted")
        before = callers.calls
        await until(lambda: callers.calls > before + 50)
    assert callers.failures == {}
    await until(lambda: gone(mesh))


async def test_a_candidate_that_hangs_is_taken_back(mesh: Mesh, folder: Path) -> None:
    """A candidate that is stopped in the middle keeps its connections and answers nothing: its health check says so
    within the stated time, and calls that it had taken end at their deadline at the latest."""
    name = specify(folder, "hung", "none", step(50, "1h") + '[abort]\nanswers_within = "2s"\n')
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        candidate = pid_of(mesh, "candidate")
        os.kill(candidate, signal.SIGSTOP)
        try:
            release = await become(mesh, name, "aborting", "aborted")
            before = callers.calls
            await until(lambda: callers.calls > before + 50)
        finally:
            os.kill(candidate, signal.SIGCONT)
    assert "reference-901 hangs: it answered no health check for 2 s" in aborted_cause(release)
    assert {f.split()[0] for f in callers.failures} <= {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
    # Each caller waits for its calls: no more than one in each of their deadlines until the release is taken back.
    assert callers.failures.total() <= 3 * CALLERS
    await become(mesh, name, "aborted")
    await until(lambda: gone(mesh))


async def test_a_word_takes_a_release_back_at_once(mesh: Mesh, folder: Path) -> None:
    """`abort` answers when every proxy sends all calls to the stable version: after it no call reaches the candidate. A
    second release of the service is refused meanwhile, and what is over cannot be aborted."""
    name = specify(folder, "by-hand", "none", step(100, "1h"))
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        assert "is stepping: abort it" in mesh.refused("release", "start", name)
        assert "paused" in str(await command(mesh, "pause", name, "-m", "lunch"))
        await command(mesh, "resume", name)
        async with mesh.control_channel() as channel:
            stub = release_grpc.ReleaseServiceStub(channel)
            wanted = release_pb.AbortReleaseRequest(request_id=str(uuid.uuid4()), release=name, comment="not today")
            began = time.monotonic()
            answer = await stub.AbortRelease(wanted, timeout=20)
        print(f"abort by hand, from the word to every proxy's acknowledgement: {time.monotonic() - began:.3f} s")
        assert release_pb2.ReleasePhase.Name(answer.release.phase) == "RELEASE_PHASE_ABORTING"
        release = await become(mesh, name, "aborted")
    assert aborted_cause(release) == "not today"
    assert callers.failures == {}
    assert "aborted already" in mesh.refused("release", "abort", name)
    await until(lambda: gone(mesh))


async def alert(mesh: Mesh, service: str, text: str) -> None:
    """What monitoring says of a service."""
    secret = json.loads(mesh.place.credentials("monitoring").read_text())["nats"]
    connection = await nats.connect(secret["url"], nkeys_seed_str=secret["seed"], inbox_prefix=secret["inbox_prefix"])
    try:
        await connection.publish(f"crossrate.control.v1.alerts_in.{service}", text.encode())
        await connection.flush()
    finally:
        await connection.close()


async def test_an_alert_takes_a_release_back(mesh: Mesh, folder: Path) -> None:
    """One about the service, in its own words; one about another service is none of its."""
    name = specify(folder, "alerted", "none", step(50, "1h") + "[abort]\nalerts = true\n")
    await command(mesh, "start", name)
    await become(mesh, name, "stepping")
    await alert(mesh, "audit", "too slow")
    await alert(mesh, "reference", "ReferenceErrors: the budget of the month is spent")
    release = await become(mesh, name, "aborted")
    assert aborted_cause(release) == "an alert: ReferenceErrors: the budget of the month is spent"
    await until(lambda: gone(mesh))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("[abort]\nerror_percent_max = 2\ncalls_min = 100\n", "of ReferenceService/GetInstrument failed"),
        ("[analysis]\nalpha = 0.01\n", "errors fails: "),
    ],
    ids=["bound", "analysis"],
)
async def test_errors_end_a_release(mesh: Mesh, folder: Path, rule: str, words: str) -> None:
    """Of a candidate that fails a fifth of its calls, and has a tenth of all, the release is taken back: by the bound
    of its specification, or by the test against the stable version; only its share of the calls was touched."""
    name = specify(folder, f"failing-{len(rule)}", "errors:20", step(10, "1h") + rule)
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        release = await become(mesh, name, "aborted")
    assert words in aborted_cause(release)
    assert 0 < callers.failures.total() < 0.1 * callers.calls
    assert {f.split()[0] for f in callers.failures} == {"INTERNAL"}
    await until(lambda: gone(mesh))


async def test_a_specification_that_cannot_be_used_names_field_and_remedy(mesh: Mesh, folder: Path) -> None:
    """Nothing is started from it, and every problem is told at once."""
    specify(folder, "wrong", "none", step(50, "1s") + step(10, "1s"), more="colour = 1")
    said = mesh.refused("release", "start", "wrong")
    assert "colour: there is no such field" in said
    assert "weights may only grow" in mesh.refused(
        "release", "start", specify(folder, "down", "none", step(50, "1s") + step(10, "1s"))
    )
    assert "there is no nothing.toml" in mesh.refused("release", "start", "nothing")
    assert await gone(mesh)
