"""The table of a mesh's processes: who is kept running, what is recorded of them, what they take."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from crossrate.node import logs, memory
from crossrate.node.keeper import Keeper, Kept, State
from crossrate.node.leftovers import Recorded, Records
from crossrate.node.process import reap_orphans
from crossrate.runtime.place import Place

HOUSEKEEPING_S = 5.0
SUPERVISOR = "supervisor"


class Table:
    """All kept processes by name. Each change is recorded on disk, then told to `on_change`."""

    def __init__(self, place: Place, on_change: Callable[[Keeper], None]) -> None:
        self._place = place
        self._on_change = on_change
        self._records = Records(place)
        self._keepers: dict[str, Keeper] = {}
        self._started = time.time()

    def __contains__(self, name: str) -> bool:
        return name in self._keepers

    def __getitem__(self, name: str) -> Keeper:
        return self._keepers[name]

    def __iter__(self) -> Iterator[Keeper]:
        return iter(list(self._keepers.values()))

    def of_kind(self, *kinds: str) -> list[Keeper]:
        """The processes of some kinds."""
        return [k for k in self if k.kept.kind in kinds]

    def keep(self, kept: Kept) -> Keeper:
        """Begins to keep one more process running."""
        keeper = self._keepers[kept.name] = Keeper(kept, self._changed)
        keeper.begin()
        return keeper

    def forget(self, name: str) -> None:
        """Leaves out a process that has been stopped."""
        self._keepers.pop(name, None)
        self._record()

    def retire(self, name: str, called: str) -> None:
        """Gives a running process another name, under which it is expected to end."""
        keeper = self._keepers.pop(name)
        keeper.kept = replace(keeper.kept, name=called)
        self._keepers[called] = keeper
        keeper.expect_end()

    def _changed(self, keeper: Keeper) -> None:
        self._record()
        self._on_change(keeper)

    def _record(self) -> None:
        running = [(k, k.child) for k in self if k.child is not None and k.child.running]
        self._records.write(
            [
                Recorded(k.name, child.pid, child.start_ticks, int(k.kept.stop_signal))
                for k, child in running
                if child.start_ticks is not None
            ]
        )

    async def keep_house(self) -> None:
        """Bounds the logs and reaps adopted processes, every few seconds, for ever."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            for log in {k.kept.log for k in self} | {self._place.log(SUPERVISOR)}:
                logs.bound(log)
            reap_orphans({k.child.pid for k in self if k.child is not None})

    async def describe(self) -> list[dict[str, Any]]:
        """Every process as `status` shows it, this one first."""
        rows = [
            {
                "name": SUPERVISOR,
                "kind": SUPERVISOR,
                "pid": os.getpid(),
                "started": self._started,
                "restarts": 0,
                "state": "ready",
                "detail": "",
                "log": str(self._place.log(SUPERVISOR)),
            }
        ]
        for keeper in self:
            running = keeper.child is not None and keeper.child.running
            rows.append(
                {
                    "name": keeper.name,
                    "kind": keeper.kept.kind,
                    "pid": keeper.child.pid if keeper.child is not None and running else 0,
                    "started": keeper.started if running else 0.0,
                    "restarts": keeper.restarts,
                    "state": "ready" if keeper.ready and keeper.state is State.RUNNING else str(keeper.state),
                    "detail": keeper.detail,
                    "log": str(keeper.kept.log),
                }
            )
        sums = await asyncio.to_thread(memory.taken_by_root, [row["pid"] for row in rows if row["pid"]])
        taken = [sums.get(row["pid"], memory.Taken()) for row in rows]
        told = [{"pss_kib": each.pss_kib, "processor_s": round(each.processor_s, 2)} for each in taken]
        return [row | each for row, each in zip(rows, told, strict=True)]
