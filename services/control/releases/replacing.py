"""A rolling release's work: as many instances of both versions at the node as its decisions mean.

Every question to the node says how many there are to be, so that it may be asked again: after a kill of control, and
after one of the node, which then has the old instances alone and is given the new ones before any of those ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from services.control.releases.domain import Release
from services.control.releases.nodes import NodeError, NodeGone, Running
from services.control.releases.rolling import new_at

if TYPE_CHECKING:
    from services.control.releases.world import World

ASK_AGAIN_S = 0.25
FILL_S_MAX = 120.0
"""How long a promotion waits until one more of the service's own instances takes calls."""
RESTORE_TRIES_MAX = 20
"""How often the node is asked to start old instances again; each time it waits for them."""


class Replacing:
    """Replaces the instances of one release's service.

    Args:
        release: as it is when control begins to look at it.
    """

    def __init__(self, world: World, release: Release) -> None:
        self._world, self._release = world, release
        self._own: int | None = None
        self._waits: tuple[int, float] | None = None
        self._filling = False

    def follow(self, release: Release) -> None:
        """Takes the release as its newest decision has made it; its share is in force."""
        if not release.replacing:
            self._waits = None
        elif self._waits is None or self._waits[0] != release.step:
            self._waits = release.step, time.monotonic()
        self._release = release

    @property
    def late(self) -> bool:
        """Whether the next instances do not come up in time. After a restart of control they have all of it again."""
        within_s = self._release.specification.abort.ready_within
        return self._waits is not None and time.monotonic() - self._waits[1] > within_s

    @property
    def replaced(self) -> bool:
        """Whether no more old instances run than the step leaves."""
        return self._own is not None and self._own <= self._release.instances.own

    @property
    def own(self) -> int:
        """The service's own instances that are the new version and take calls, as every proxy knows; none while an old
        one is beside them, which would have a part of their share."""
        release, world = self._release, self._world
        if not self._filling:
            return 0
        version = release.specification.candidate.version
        stable = world.stable(release.service)
        return sum(i.version == version and world.ads.has_settled(i.offered_version) for i in stable)

    async def ensure(self) -> Running:
        """Has the node run the candidates that are meant; returns how all instances do.

        Raises:
            NodeError: one cannot be started.
        """
        release = self._release
        candidate = release.specification.candidate.model_copy(update={"instances": release.instances.candidates})
        seen = await self._world.node.ensure(release.service, candidate)
        self._own = len(seen.stable_rss_mib)
        return seen

    async def end_old(self) -> None:
        """Ends old instances in whose place new ones have their share, for as long as the release steps."""
        world = self._world
        while True:
            release, meant = self._release, self._release.instances
            new = new_at(release.weight, release.specification.instances)
            serving = world.serving(release.service, settled=True)
            if self._own is not None and self._own > meant.own and serving >= new:
                try:
                    self._own = len(await world.node.scale(release.service, meant.own))
                except NodeError as error:
                    world.log.warning("an old instance does not end yet", release=release.name, reason=str(error))
            await asyncio.sleep(ASK_AGAIN_S)

    async def fill(self, changed: Callable[[], None]) -> None:
        """Starts the service's own instances, which are the new version now, each in the place of a candidate.

        Raises:
            NodeError: one does not come up.
        """
        self._filling = True
        world, before, grown_time = self._world, 0, time.monotonic()
        while (own := self.own) < self._release.specification.instances:
            if own > before:
                before, grown_time = own, time.monotonic()
            elif time.monotonic() - grown_time > FILL_S_MAX:
                raise NodeError(f"no more than {own} new instances take calls after {FILL_S_MAX:g} s")
            release, meant = self._release, self._release.instances
            try:
                await world.node.end(release.service, keep=meant.candidates)
                await world.node.scale(release.service, meant.own)
            except NodeGone as error:
                world.log.warning("the node cannot be asked for instances", reason=str(error))
            changed()
            await asyncio.sleep(ASK_AGAIN_S)

    async def restore(self) -> None:
        """Starts the old instances again, all that are missing at once: those that are left have all calls."""
        world, release = self._world, self._release
        for _ in range(RESTORE_TRIES_MAX):
            try:
                await world.node.scale(release.service, release.specification.instances)
                return
            except NodeError as error:
                why = str(error)
                world.log.error("old instances do not come up again", release=release.name, reason=why)
            await asyncio.sleep(ASK_AGAIN_S)


def serving_alone(seen: Running, serving: set[str]) -> Running:
    """What runs without the candidates that take no calls yet: what they fill their memory with says nothing."""
    return replace(seen, candidates=tuple(each for each in seen.candidates if each.name in serving))
