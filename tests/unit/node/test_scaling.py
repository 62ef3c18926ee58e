"""Services with more or fewer instances: which start, which end, and what becomes of one that does not come up."""

from __future__ import annotations

import contextlib

import pytest

from crossrate.node.keeper import State
from crossrate.node.restarts import RestartFailed, Restarts


class FakeKeeper:
    """A kept process that is ready at once, or fails."""

    def __init__(self, name: str, *, ready: bool = True) -> None:
        self.name, self.ready = name, ready
        self.state = State.RUNNING if ready else State.FAILED
        self.stopped = False

    async def stop(self, grace_s: float | None = None) -> None:
        """Ends it."""
        self.stopped = True

    def failure(self) -> str:
        """Why it failed."""
        return f"{self.name} has no mind to run"


class FakeNode:
    """A node with some instances of reference; those that are started fail if they are named so."""

    def __init__(self, *names: str, failing: str = "") -> None:
        self.keepers = {name: FakeKeeper(name) for name in names}
        self.failing, self.state = failing, "healthy"
        self.table = FakeTable(self.keepers)

    async def renew_zygote(self) -> None:
        """The programs are what they were."""

    @contextlib.asynccontextmanager
    async def observing(self):
        """Somebody looks."""
        yield

    def keep_instance(self, backend: str, instance: str) -> FakeKeeper:
        """Starts one."""
        assert backend == "reference"
        self.keepers[instance] = FakeKeeper(instance, ready=instance != self.failing)
        return self.keepers[instance]

    async def check(self) -> bool:
        """Nothing changes."""
        return True


class FakeTable:
    """The table of such a node."""

    def __init__(self, keepers: dict[str, FakeKeeper]) -> None:
        self.keepers = keepers

    def __contains__(self, name: object) -> bool:
        return name in self.keepers

    def of_kind(self, *kinds: str) -> list[FakeKeeper]:
        """All of them."""
        return list(self.keepers.values())

    def forget(self, name: str) -> None:
        """Leaves one out."""
        del self.keepers[name]


async def test_those_that_are_missing_get_free_numbers_and_the_newest_end_first() -> None:
    """Asked again nothing happens; an instance that does not do its work ends before one that does."""
    node = FakeNode("reference-2", "reference-4")
    restarts = Restarts(node)  # type: ignore[arg-type]
    assert sorted(await restarts.scale("reference", 4)) == ["reference-1", "reference-2", "reference-3", "reference-4"]
    before = dict(node.keepers)
    assert len(await restarts.scale("reference", 4)) == 4
    assert node.keepers == before
    node.keepers["reference-1"].ready = False
    assert sorted(await restarts.scale("reference", 2)) == ["reference-2", "reference-3"]
    assert {name for name, keeper in before.items() if keeper.stopped} == {"reference-1", "reference-4"}


async def test_one_that_does_not_come_up_is_ended_and_the_others_go_on() -> None:
    """The refusal has its name and what it said."""
    node = FakeNode("reference-1", failing="reference-3")
    with pytest.raises(RestartFailed, match="the new reference-3 did not come up: reference-3 has no mind to run"):
        await Restarts(node).scale("reference", 3)  # type: ignore[arg-type]
    assert sorted(node.keepers) == ["reference-1", "reference-2"]
