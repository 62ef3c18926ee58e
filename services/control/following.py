"""Following a service's instances: a reader at each that serves, those that come later included."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from crossrate.runtime.ending import end
from services.control.registry import Registered, Registry

LOOK_S = 1.0
"""A reader that ended without a change of health is begun again after so long."""


async def follow_instances(
    registry: Registry,
    fits: Callable[[Registered], bool],
    read: Callable[[Registered, int], Coroutine[Any, Any, None]],
    *,
    shared: bool = False,
    changed: Callable[[Mapping[str, Registered]], Awaitable[None]] | None = None,
) -> None:
    """Keeps a reader at each instance that serves and fits, until it is cancelled.

    Args:
        read: of an instance, and of how many there are; it ends when its stream does.
        shared: the readers share something out: when their number changes, each begins anew.
        changed: is told of those that are there, by name, before readers of others begin.
    """
    readers: dict[str, asyncio.Task[None]] = {}
    count = 0
    try:
        while True:
            present = {name: each for name, each in registry.instances.items() if each.serving and fits(each)}
            anew = shared and len(present) != count
            count = len(present)
            over = [name for name, task in readers.items() if anew or name not in present or task.done()]
            for name in over:
                readers.pop(name).cancel()
            if changed is not None and (over or present.keys() != readers.keys()):
                await changed(present)
            for name in present.keys() - readers.keys():
                readers[name] = asyncio.create_task(read(present[name], count), name=f"reads {name}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await registry.changed()
    finally:
        await end(readers.values())
