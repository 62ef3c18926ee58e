"""Faults that are put into the order path on purpose, to see that the checks find them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tests.chaos.checker import Broken, Problem
from tests.chaos.nemesis import KILL, Blow
from tests.chaos.order_stand import ACCOUNTS, OrderStand
from tests.chaos.traders import Trader

CONTROLS = {
    "gap": Broken.GAP,
    "repeat": Broken.REPEAT,
    "phantom": Broken.PHANTOM,
    "early": Broken.LOST,
    "without dedupe": Broken.TWICE,
    "not flushed": Broken.LOST,
}
"""What each of them must be found as. The last three leave books that are wrong for good."""
REPEATED = 20
LOST_S_MAX = 5.0
UNDISTURBED = 1
"""A round's number without a halt and without an end of all orders."""


async def controls(stand: OrderStand) -> AsyncIterator[tuple[str, Broken, list[Problem]]]:
    """Puts in one fault after the other: its name, as what it must be found, and what was found and was not before."""
    known: set[Problem] = set()
    for name, expected in CONTROLS.items():
        found = [problem for problem in await control(stand, name) if problem not in known]
        known |= set(found)
        yield name, expected, found


async def control(stand: OrderStand, name: str) -> list[Problem]:
    """One round with a fault; returns what was found.

    gap, repeat: a follower loses a report, or its place. phantom: a client writes nothing down. early: one takes an
    order as promised that it has only asked for. without dedupe: trading forgets which orders it has, and clients
    repeat theirs. not flushed: commits are acknowledged before they are on disk.
    """
    if name in ("gap", "repeat"):
        stand.followers[0].lapse = name
        return await stand.round(UNDISTURBED, [])
    if name == "phantom":
        return await stand.round(UNDISTURBED, [], [_trader(stand, forgetful=True)])
    if name == "early":
        # What is entered while nobody can answer is given up with the round.
        trader = _trader(stand, early=True)
        trader.gives_up = True
        plan = [Blow("postgres", KILL, 0.2, 0.0), Blow("edge", KILL, 0.3, 0.0), Blow("node", KILL, 0.4, 0.0)]
        return await stand.round(UNDISTURBED, plan, [trader])
    if name == "without dedupe":
        return await _without_dedupe(stand)
    return await _not_flushed(stand)


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


async def _not_flushed(stand: OrderStand) -> list[Problem]:
    # What broker has and trading has lost comes to no end.
    stand.settled_s_max = LOST_S_MAX
    connection = await stand.database()
    try:
        for setting in ("synchronous_commit = off", "wal_writer_delay = '10s'", "wal_writer_flush_after = '1GB'"):
            await connection.execute(f"ALTER SYSTEM SET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
    return await stand.round(UNDISTURBED, [Blow("postgres", KILL, 1.5, 0.0)])
