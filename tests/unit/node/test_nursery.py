"""The zygote forks real programs, whose parent is then this process."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import pytest

from crossrate.node.nursery import ForkError, Nursery
from crossrate.node.process import Child, adopt_orphans
from crossrate.runtime.place import Place

PROGRAM = "tests.unit.node.program"


@pytest.fixture
async def nursery(tmp_path: Path):
    """A zygote with this test's programs, and what its helpers reported."""
    adopt_orphans()
    reports: list[dict] = []
    own = Nursery(tmp_path / "zygote.log", [PROGRAM], reports.append)
    await own.start()
    own.reports = reports
    yield own
    await own.close()


def environment(where: Place, service: str) -> dict[str, str]:
    """What an instance is told."""
    place = {"CROSSRATE_STATE": str(where.state), "CROSSRATE_RUN": str(where.run)}
    return place | {"CROSSRATE_SERVICE": service, "CROSSRATE_INSTANCE": f"{service}-1"}


async def until(condition, seconds: float = 60.0) -> None:
    """Waits for what another process makes true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.01)


async def fork(nursery: Nursery, where: Place, function: str = "serve", **options) -> Child:
    """One instance."""
    env = environment(where, "reference")
    return await nursery.fork(
        "reference-1", "services", f"{PROGRAM}:{function}", env, where.log("reference-1"), **options
    )


async def test_an_instance_is_forked_and_drains(nursery: Nursery, tmp_path: Path) -> None:
    """A forked instance knows who it is, has this process for a parent and ends with 0 on SIGTERM."""
    where = Place(tmp_path / "state", tmp_path / "run").make()
    child = await fork(nursery, where)
    registration = where.registration("reference-1")
    await until(lambda: registration.exists() and registration.read_text())
    about = json.loads(registration.read_text())
    assert about["instance"] == "reference-1"
    assert about["parent"] == os.getpid()
    assert about["title"].rstrip("\0") == "crossrate reference-1"
    assert await child.stop(signal.SIGTERM, 60) == 0
    assert not registration.exists()


async def test_instances_outlive_the_zygote(nursery: Nursery, tmp_path: Path) -> None:
    """A zygote that is killed takes nothing with it, and what is asked of it then fails with a reason."""
    where = Place(tmp_path / "state", tmp_path / "run").make()
    child = await fork(nursery, where)
    nursery.child.send(signal.SIGKILL)
    await nursery.child.wait()
    assert child.running
    with pytest.raises(ForkError, match="zygote"):
        await fork(nursery, where)
    assert await child.stop(signal.SIGKILL, 10) == -signal.SIGKILL


async def test_a_failure_is_in_the_instances_log(nursery: Nursery, tmp_path: Path) -> None:
    """A program that raises ends with 1 and its traceback in its own log."""
    where = Place(tmp_path / "state", tmp_path / "run").make()
    child = await fork(nursery, where, "fail")
    assert await asyncio.wait_for(child.wait(), 60) == 1
    assert "no market today" in where.log("reference-1").read_text()


async def test_a_helper_reports(nursery: Nursery, tmp_path: Path) -> None:
    """What a helper writes to its descriptor arrives."""
    where = Place(tmp_path / "state", tmp_path / "run").make()
    child = await fork(nursery, where, "report", helper=True)
    assert await child.wait() == 0
    await until(lambda: [r for r in nursery.reports if r["from"] == "report"])
