"""What runs beside the calls: facts to NATS, old answers forgotten, the end of a process whose part broke."""

from __future__ import annotations

import asyncio
from typing import Any

from crossrate.events import Events, EventsUnavailable
from crossrate.runtime.process import Runtime
from crossrate.store import Database, OutboxRelay, StoreUnavailable
from services.risk.decider import Decider
from services.risk.settings import Settings
from services.risk.store import LimitStore

JETSTREAM = "risk"
"""The stream of the topology that carries the facts."""


async def publish(database: Database, runtime: Runtime) -> None:
    """Carries facts to NATS while that is there; nothing else waits for it."""
    while True:
        try:
            events = await Events.open(runtime)
            break
        except EventsUnavailable as error:
            runtime.log.warning("facts are not published yet; trying again", why=str(error))
    try:
        await OutboxRelay(database, events, JETSTREAM).run(runtime.stopping)
    finally:
        await events.close()


async def fail(decider: Decider, runtime: Runtime) -> None:
    """Ends the process when a part of the term broke: no half of it decides."""
    await decider.failed.wait()
    runtime.exit_code = 1
    runtime.stopping.set()


async def forget(limits: LimitStore, settings: Settings, note: Any) -> None:
    """Deletes old answers again and again."""
    while True:
        await asyncio.sleep(settings.forget_interval_s)
        try:
            count = await limits.forget_answers(settings.answers_kept_s)
        except StoreUnavailable as error:
            note.warning("old answers were not forgotten", error=str(error))
        else:
            note.info("forgot old answers", count=count)
