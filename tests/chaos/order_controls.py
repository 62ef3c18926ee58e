"""Faults that are put into the order path on purpose, to see that the checks find them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from tests.chaos.checker import Broken, Problem
from tests.chaos.nemesis import CUT, KILL, MACHINE, Blow
from tests.chaos.order_stand import ACCOUNTS, OrderStand
from tests.chaos.traders import Trader

CONTROLS = {
    "gap": Broken.GAP,
    "repeat": Broken.REPEAT,
    "phantom": Broken.PHANTOM,
    "open gate": Broken.ADMITTED,
    "lazy NATS": Broken.LOST,
    "early": Broken.LOST,
    "without dedupe": Broken.TWICE,
    "not flushed": Broken.LOST,
    "without fsync": Broken.LOST,
}
"""What each of them must be found as."""
STANDS = (
    ("gap", "repeat", "phantom", "open gate", "lazy NATS", "early", "without dedupe", "not flushed"),
    ("without fsync",),
)
"""Those that can share a mesh. From "early" on they leave books that are wrong for good."""
NEEDS_POWER = ("lazy NATS", "without fsync")
"""What only a power cut shows."""
REPEATED = 20
LOST_S_MAX = 5.0
UNDISTURBED, HALTED = 1, 2
"""A round's number without a halt and without an end of all orders, and one with both."""


async def controls(stand: OrderStand, names: Sequence[str]) -> AsyncIterator[tuple[str, Broken, list[Problem]]]:
    """Puts in one fault after the other: its name, as what it must be found, and what was found and was not before."""
    known: set[Problem] = set()
    for name in names:
        found = [problem for problem in await control(stand, name) if problem not in known]
        known |= set(found)
        yield name, CONTROLS[name], found


async def control(stand: OrderStand, name: str) -> list[Problem]:
    """One round with a fault; returns what was found.

    gap, repeat: a follower loses a report, or its place. phantom: a client writes nothing down. open gate: risk lets
    everything pass its kill switch. lazy NATS: it acknowledges what it syncs later, and the power is cut. early: a
    client takes an order as promised that it has only asked for. without dedupe: trading forgets which orders it has,
    and clients repeat theirs. not flushed: commits are acknowledged before they are written, and PostgreSQL is killed.
    without fsync: they are written and not synced, and the power is cut.
    """
    if name in ("gap", "repeat"):
        stand.followers[0].lapse = name
        return await stand.round(UNDISTURBED, [])
    if name == "phantom":
        return await stand.round(UNDISTURBED, [], [_trader(stand, forgetful=True)])
    if name == "open gate":
        stand.processes.armory.switch("risk.open_gate", True)
        try:
            return await stand.round(HALTED, [])
        finally:
            stand.processes.armory.switch("risk.open_gate", False)
    if name == "lazy NATS":
        return await _lazy_nats(stand)
    if name == "early":
        # What is entered while nobody can answer is given up with the round.
        trader = _trader(stand, early=True)
        trader.gives_up = True
        plan = [Blow("postgres", KILL, 0.2, 0.0), Blow("edge", KILL, 0.3, 0.0), Blow("node", KILL, 0.4, 0.0)]
        return await stand.round(UNDISTURBED, plan, [trader])
    if name == "without dedupe":
        return await _without_dedupe(stand)
    # What broker has and trading has lost comes to no end.
    stand.settled_s_max = LOST_S_MAX
    if name == "not flushed":
        await _set(stand, "synchronous_commit = off", "wal_writer_delay = '10s'", "wal_writer_flush_after = '1GB'")
        return await stand.round(UNDISTURBED, [Blow("postgres", KILL, 1.5, 0.0)])
    await _set(stand, "fsync = off")
    return await stand.round(UNDISTURBED, [Blow(MACHINE, CUT, 1.5, 0.0)])


async def _lazy_nats(stand: OrderStand) -> list[Problem]:
    stand.processes.armory.switch("node.lazy_nats", True)
    await stand.processes.kill("nats")
    await stand.processes.all_ready()
    try:
        return await stand.round(UNDISTURBED, [Blow(MACHINE, CUT, 1.5, 0.0)])
    finally:
        stand.processes.armory.switch("node.lazy_nats", False)


def _trader(stand: OrderStand, *, early: bool = False, forgetful: bool = False) -> Trader:
    seed = stand.chance.getrandbits(64)
    return Trader(stand.channel, ACCOUNTS[0], stand.diary, seed, early=early, forgetful=forgetful)


async def _without_dedupe(stand: OrderStand) -> list[Problem]:
    trader = _trader(stand)
    problems = await stand.round(UNDISTURBED, [], [trader])
    connection = await stand.database()
    try:
        await connection.execute("UPDATE trading.client_order SET client_order_id = md5(order_id::text)")
    finally:
        await connection.close()
    await asyncio.gather(*(stand.processes.kill(name) for name in ("trading-1", "trading-2")))
    await stand.processes.all_ready()
    await trader.repeat_all(REPEATED)
    return problems + await stand.round(UNDISTURBED, [])


async def _set(stand: OrderStand, *settings: str) -> None:
    """Has PostgreSQL run with other settings."""
    connection = await stand.database()
    try:
        for setting in settings:
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
