"""Where an order's processor time goes, by process, and how far behind its acknowledgement everything else is.

Every process of the mesh is read before and after a load, and so is the time until everything that an order causes is
done: the venue's report applied, published, and seen by the ledger. What the mesh uses while nobody asks it anything is
measured first and taken off. Processor time says the same on a busy machine as on a quiet one, nearly; wall time does
not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from crossrate.client import AsyncClient
from tests.bench import orders_entry as entry
from tests.bench import orders_stages
from tests.bench.orders_progress import Progress
from tests.bench.processes import IdleShare, cpu_us
from tests.mesh import Mesh

IDLE_S = 5.0
REPORTS_AN_ORDER = 2
"""Entered, and taken by the venue."""


@dataclass
class Reading:
    """Microseconds of processor time of each process so far, by what it is."""

    of: dict[str, float] = field(default_factory=dict)
    taken_s: float = field(default_factory=time.monotonic)

    def since(self, before: Reading) -> dict[str, float]:
        """What was used since another reading."""
        return {name: used - before.of.get(name, 0.0) for name, used in self.of.items()}


@dataclass(frozen=True)
class Load:
    """What a load cost.

    Attributes:
        used_us: by process, of each order, everything until the last of them was settled; what is idle taken off.
        acks_per_s: while orders were being entered.
        behind: reports of each stage that were missing when the last order was acknowledged.
        behind_s: how long they took.
        idle: part of the machine's processors that had nothing to do while orders were being entered. Where it is
            large, a rate waits for something else than processors.
    """

    used_us: dict[str, float]
    acks_per_s: float
    behind: dict[str, int]
    behind_s: float
    idle: float


class Watched:
    """The processes of a mesh."""

    def __init__(self, mesh: Mesh) -> None:
        self._named = {each["pid"]: name for name, each in mesh.processes().items() if each["pid"]}
        self._named[os.getpid()] = "client"
        self._postmaster = next(pid for pid, name in self._named.items() if name == "postgres")
        self._known: dict[int, tuple[str, float]] = {}

    def read(self) -> Reading:
        """What all have used so far; those that ended count with what they were last seen with."""
        for pid, name in {**self._named, **self._backends()}.items():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                self._known[pid] = (name, cpu_us(pid))
        found = Reading()
        for name, used in self._known.values():
            found.of[name] = found.of.get(name, 0.0) + used
        return found

    def _backends(self) -> dict[int, str]:
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text().split()
        found = {}
        for pid in children:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                title = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
                words = title.removeprefix("postgres: ").split()
                # A backend is titled by its role, which is the service's name.
                backend = "[local]" in words
                found[int(pid)] = f"postgres: {words[0] if backend else ' '.join(words)}"
        return found


async def cost(
    watched: Watched, progress: Progress, idle: dict[str, float], load: Callable[[], Awaitable[int]]
) -> Load:
    """Measures a load, which returns how many orders were acknowledged."""
    begun = (await progress.read())["trading"]
    before, idle_share = watched.read(), IdleShare()
    orders = await load()
    acknowledged_s, idle_part = time.monotonic() - before.taken_s, idle_share.now()
    wanted = begun + REPORTS_AN_ORDER * orders
    behind = {stage: max(0, wanted - count) for stage, count in (await progress.read()).items()}
    acknowledged = time.monotonic()
    await progress.caught_up(wanted)
    behind_s = time.monotonic() - acknowledged
    after = watched.read()
    passed_s = after.taken_s - before.taken_s
    used = {name: max(0.0, us - idle.get(name, 0.0) * passed_s) / orders for name, us in after.since(before).items()}
    return Load(used, orders / acknowledged_s, behind, behind_s, idle_part)


async def measure(mesh: Mesh, *, quick: bool) -> tuple[dict[str, float], dict[str, Load], list[str]]:
    """What is idle, microseconds a second by process; the loads by name; what failed."""
    calls, lists = (1000, 20) if quick else (4000, 100)
    certificate = mesh.place.client_certificate("local")
    loads: dict[str, Load] = {}
    async with (
        AsyncClient(f"localhost:{mesh.edge_port}", ca=mesh.roots, client=certificate) as client,
        Progress(mesh) as progress,
    ):
        side = entry.Side(client, await entry.priced(client))
        watched = Watched(mesh)

        async def unary() -> int:
            done = 0

            async def place() -> None:
                nonlocal done
                await side.place()
                done += 1

            await entry.rate(side, place, calls, entry.CALLS_IN_FLIGHT)
            return done

        async def batch() -> int:
            done = 0

            async def place() -> None:
                nonlocal done
                await side.place_list()
                done += entry.LIST

            await entry.rate(side, place, lists, entry.LISTS_IN_FLIGHT)
            return done

        async def session() -> int:
            return await side.session_acks(lists)

        async def lone() -> int:
            before = orders_stages.counts(mesh)
            taken = await entry.alone(side, entry.LONE_CALLS)
            stages = orders_stages.milliseconds(before, orders_stages.counts(mesh))
            print(orders_stages.told(sum(taken) / len(taken), stages))
            return len(taken)

        await entry.alone(side, 50)
        await batch()
        await progress.caught_up((await progress.read())["trading"])
        await asyncio.sleep(1.0)
        quiet = watched.read()
        await asyncio.sleep(IDLE_S)
        now = watched.read()
        idle = {name: us / (now.taken_s - quiet.taken_s) for name, us in now.since(quiet).items()}
        for name, load in (("lone", lone), ("unary", unary), ("batch", batch), ("session", session)):
            loads[name] = await cost(watched, progress, idle, load)
    return idle, loads, side.failures


def table(idle: dict[str, float], loads: dict[str, Load]) -> str:
    """The figures for people: microseconds of each order by process, and of each second while idle."""
    names = sorted({name for load in loads.values() for name in load.used_us} | set(idle))
    names.sort(key=lambda name: -max((load.used_us.get(name, 0.0) for load in loads.values()), default=0.0))
    lines = [f"{'process':34}" + "".join(f"{name:>10}" for name in loads) + f"{'idle/s':>10}"]
    for name in names:
        cells = [load.used_us.get(name, 0.0) for load in loads.values()]
        if max(cells, default=0.0) >= 0.5 or idle.get(name, 0.0) >= 50:
            lines.append(f"{name:34}" + "".join(f"{us:10.1f}" for us in cells) + f"{idle.get(name, 0.0):10.0f}")
    totals = [sum(load.used_us.values()) for load in loads.values()]
    lines.append(f"{'all':34}" + "".join(f"{us:10.1f}" for us in totals) + f"{sum(idle.values()):10.0f}")
    for name, load in loads.items():
        rate = f"{load.acks_per_s:.0f} acks/s, {load.idle:.0%} of the processors idle"
        lines.append(f"{name}: {rate}; behind then {load.behind}, for {load.behind_s:.2f} s")
    return "\n".join(lines)


def cost_of_orders(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    """A group of `tests/bench/orders.py`; prints the table by process itself."""
    with Mesh() as mesh:
        mesh.up()
        entry.prepare(mesh)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            idle, loads, failures = runner.run(measure(mesh, quick=quick))
    print(table(idle, loads))
    figures = {"idle_cpu_us_per_s": sum(idle.values())}
    notes = {"idle_cpu_us_per_s": "processor time of the mesh that nobody asks anything"}
    if failures:
        notes["idle_cpu_us_per_s"] += f"; {len(failures)} calls failed: {failures[0]}"
    for name, load in loads.items():
        figures[f"{name}_cpu_us"] = sum(load.used_us.values())
        notes[f"{name}_cpu_us"] = "processor time of an order, client included, until the ledger has seen it"
        figures[f"{name}_idle_share"] = load.idle
        notes[f"{name}_idle_share"] = "of the machine's processors while orders were entered"
        figures[f"{name}_behind_s"] = load.behind_s
        notes[f"{name}_behind_s"] = f"after the last acknowledgement; reports missing then: {load.behind}"
    return figures, notes
