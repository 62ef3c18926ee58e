"""What a release's rules about business are told: orders from NATS, prices from both versions' answers."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import nats.errors

from crossrate.api.instance.v1.instance_service_pb2 import TapMessagesRequest, TapMessagesResponse
from crossrate.events import EventsError
from crossrate.rpc.contract import contracts
from services.control.releases.business import SUBJECT, Orders
from services.control.releases.business_rules import method_of, with_accounts
from services.control.releases.desks import Desks
from services.control.releases.domain import Release
from services.control.releases.parts import Business
from services.control.releases.prices import Drift, Prices
from services.control.split import candidate_backend

if TYPE_CHECKING:
    from services.control.releases.world import World

LISTEN_AGAIN_S = 1.0
ALERTS = "crossrate.control.v1.alerts_in."
"""Then the service: where monitoring says that something is wrong with it, if [publishers] of the topology lets it."""
ALERT_CHARACTERS_MAX = 500


class Watched:
    """What one release watches."""

    def __init__(self, world: World, release: Release, alarm: Callable[[str], None], desks: Desks) -> None:
        rules, self._desks = release.specification.business, desks
        self._world, self._release = world, release
        self.orders = Orders([r for r in rules if r.of_orders], world.calls.sides(release.release_id).of)
        by_method: dict[str, list[Business]] = {}
        for rule in rules:
            if not rule.of_orders:
                by_method.setdefault(method_of(rule).path, []).append(rule)
        self._prices = {path: Prices(contracts()[path], some, self._is_candidate) for path, some in by_method.items()}
        self._alarm = alarm
        self._counts_orders = any(rule.of_orders for rule in rules)

    def _is_candidate(self, instance: str) -> bool:
        found = self._world.registry.instances.get(instance)
        return found is not None and found.backend == candidate_backend(found.service)

    def drifts(self) -> list[Drift]:
        """What was found since this was asked for last."""
        return [drift for prices in self._prices.values() for drift in prices.drifts()]

    async def run(self, release: Release) -> None:
        """Listens until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if release.specification.analysis is not None and release.service in with_accounts():
                tasks.create_task(self._desks.run(), name="desks")
            if self._counts_orders:
                tasks.create_task(self._listen(SUBJECT, self.orders.take), name="orders")
            if release.specification.abort.alerts:
                tasks.create_task(self._listen(ALERTS + release.service, self._alert), name="alerts")
            for path, prices in self._prices.items():
                tasks.create_task(prices.read(self._tapped(path)), name="prices")

    def _tapped(self, path: str) -> AsyncIterator[TapMessagesResponse]:
        wanted = TapMessagesRequest(method=path)
        return self._world.instances.tap(wanted, self._release.service, math.inf)

    def _alert(self, payload: bytes) -> None:
        text = payload.decode(errors="replace")
        self._alarm(f"an alert: {text[:ALERT_CHARACTERS_MAX] or 'without a word'}")

    async def _listen(self, subject: str, take: Callable[[bytes], None]) -> None:
        while True:
            try:
                subscription = await self._world.bus.subscribe(subject, take)
                break
            except EventsError as error:
                self._world.log.warning("a release cannot listen", subject=subject, reason=str(error))
                await asyncio.sleep(LISTEN_AGAIN_S)
        try:
            await asyncio.Event().wait()
        finally:
            # It ends with its connection at the latest.
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()
