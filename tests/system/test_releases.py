"""Releases of a real program on a real mesh: promoted when good, taken back when not, and no call lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from crossrate.api.control.v1 import release_pb2
from crossrate.api.control.v1 import release_service_pb2 as release_pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from tests.integration.envoys import until
from tests.mesh import Mesh
from tests.releasing import releasing
from tests.system.release_steps import (
    CALLERS,
    TOPOLOGY,
    Callers,
    aborted_cause,
    alert,
    audited,
    become,
    calls_by_side,
    command,
    gone,
    kept_calls,
    pid_of,
    specify,
    step,
    versions,
)

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where specifications are written."""
    return tmp_path_factory.mktemp("releases")


@pytest.fixture(scope="module")
def mesh(folder: Path) -> Iterator[Mesh]:
    """One mesh for all of these tests."""
    with releasing(folder, TOPOLOGY) as own:
        yield own


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
        kept = await until(lambda: kept_calls(mesh))
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
    facts = await until(lambda: audited(mesh, name, len(kinds)))
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


async def test_a_folder_without_a_command_is_the_candidate(mesh: Mesh, folder: Path, tmp_path: Path) -> None:
    """What runs is the folder's program, here one that ends at once, and never the mesh's own under another name."""
    program = tmp_path / "services" / "reference" / "__main__.py"
    program.parent.mkdir(parents=True)
    program.write_text("raise SystemExit('the program of the folder')\n")
    (program.parent.parent / "__init__.py").touch()
    specification = f'service = "reference"\n[candidate]\nversion = "next"\nfolder = "{tmp_path}"\n{step(50, "1h")}'
    (folder / "releases" / "next.toml").write_text(specification)
    await command(mesh, "start", "next")
    release = await become(mesh, "next", "aborted", "stepping")
    assert "the program of the folder" in aborted_cause(release)
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


async def why(mesh: Mesh, *headers: tuple[str, str]) -> str:
    """What `crossrate why` says of a call with some headers, as soon as its instance keeps it."""
    named, wanted = str(uuid.uuid4()), reference.GetInstrumentRequest(base="EUR", counter="USD")
    async with mesh.edge_channel() as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        await stub.GetInstrument(wanted, timeout=20, metadata=(("x-request-id", named), *headers))
    return await until(lambda: asyncio.to_thread(mesh.command, "why", named, check=False), 30)


async def test_an_alert_takes_a_release_back(mesh: Mesh, folder: Path) -> None:
    """One about the service, in its own words; one about another service is none of its. Until then each call says by
    which rule of the release its version was chosen."""
    pins = '[[pins]]\nto = "{}"\nheader = "x-desk"\nvalue = "{}"\n'
    pinned = pins.format("stable", "options") + pins.format("candidate", "spot")
    name = specify(folder, "alerted", "none", step(50, "1h") + pinned + "[abort]\nalerts = true\n")
    await command(mesh, "start", name)
    await become(mesh, name, "stepping")

    async def says(words: str, *headers: tuple[str, str]) -> bool:
        # A proxy's worker hears of a share a moment after the proxy has acknowledged it.
        told = " ".join((await why(mesh, *headers)).split())
        return f"release {name}: sent to" in told and words in told

    for desk, words in (
        ("options", "to stable by exclusion (pin 1)"),
        ("spot", "to the candidate by pin 2"),
        ("", "by weight 50 %, by chance"),
    ):
        await until(lambda words=words, desk=desk: says(words, ("x-desk", desk or "none")), 60)
    await alert(mesh, "audit", "too slow")
    await alert(mesh, "reference", "ReferenceErrors: the budget of the month is spent")
    release = await become(mesh, name, "aborted")
    assert aborted_cause(release) == "an alert: ReferenceErrors: the budget of the month is spent"
    await until(lambda: gone(mesh))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("[abort]\nerror_percent_max = 2\ncalls_min = 100\n", "of ReferenceService/GetInstrument failed"),
        ("[analysis]\nalpha = 0.01\nlatency_relative = 100\n", "errors fails: "),
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


async def test_recorded_calls_find_what_few_calls_would_not(mesh: Mesh, folder: Path) -> None:
    """A client calls a few times and then no more: what it has asked is asked of both versions again and again, and the
    candidate, which fails a fifth of its calls, is found."""
    rules = "[analysis]\nfill_calls_per_s = 40\nlatency_relative = 50\n"
    name = specify(folder, "quiet", "errors:20", step(10, "1h") + rules)
    await command(mesh, "start", name)
    await become(mesh, name, "stepping")
    calls = 0

    async def found() -> bool:
        nonlocal calls
        release = await become(mesh, name, "stepping", "aborting", "aborted")
        if release["phase"] != "RELEASE_PHASE_STEPPING":
            return True
        told = " ".join(v["explanation"] for v in release["verdicts"])
        if "were recorded ones that were repeated" not in told:
            # A stable instance has none yet: it hands calls on since control reads them.
            async with mesh.edge_channel() as channel:
                stub = reference_grpc.ReferenceServiceStub(channel)
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await stub.GetInstrument(reference.GetInstrumentRequest(base="EUR", counter="USD"), timeout=20)
                calls += 1
        return False

    await until(found, 120)
    release = await become(mesh, name, "aborted")
    assert "errors fails: " in aborted_cause(release)
    seen = calls_by_side(release)
    assert sum(seen.values()) <= calls
    told = next(v["explanation"] for v in release["verdicts"] if (v["metric"], v["segment"]) == ("errors", ""))
    assert int(told.rpartition("; ")[2].split()[0]) > seen[True]
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
