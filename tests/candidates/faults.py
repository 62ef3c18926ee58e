"""Faults for any service's program, planted where its servicers are added to its server."""

from __future__ import annotations

import asyncio
import functools
import inspect
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from crossrate.rpc.server import Server

VARIABLE, SEED_VARIABLE = "CANDIDATE_FAULT", "CANDIDATE_SEED"
OTHERS = frozenset({"none", "crash", "promoted", "start", "contract", "unhealthy", "leak"})
"""Faults that are not of calls."""
VERSION = "x-version"
"""The trailer by which an answer says which version gave it; the service's own program says nothing."""
PIP = {"JPY": 0.01}
LEAK_TICK_S = 0.1
LEAK_MIB_MAX = 2048


class CallsFault:
    """What happens to calls; this one nothing."""

    async def unary(self, answer: Callable[[], Any], method: str, request: Any, context: Any) -> Any:
        """Answers a unary call."""
        return await answer()

    async def stream(self, answer: AsyncIterator[Any], method: str) -> AsyncIterator[Any]:
        """Answers with a stream."""
        async for message in answer:
            yield message


class Errors(CallsFault):
    """A share of the unary calls fails: with INTERNAL, or with UNAVAILABLE, which the mesh repeats elsewhere."""

    def __init__(self, share: float, chance: random.Random, *, unavailable: bool = False) -> None:
        self._share, self._chance, self._unavailable = share, chance, unavailable

    async def unary(self, answer: Callable[[], Any], method: str, request: Any, context: Any) -> Any:
        """Fails by chance."""
        if self._chance.random() < self._share:
            if self._unavailable:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "planted")
            raise RuntimeError("planted")
        return await answer()


class Slow(CallsFault):
    """Two unary calls in a hundred take so much longer: the median stays, the 99th percentile does not."""

    SHARE = 0.02

    def __init__(self, more_s: float, chance: random.Random) -> None:
        self._more_s, self._chance = more_s, chance

    async def unary(self, answer: Callable[[], Any], method: str, request: Any, context: Any) -> Any:
        """Waits by chance."""
        if self._chance.random() < self.SHARE:
            await asyncio.sleep(self._more_s)
        return await answer()


class OneAccount(CallsFault):
    """Every unary call of one account fails."""

    def __init__(self, account: str) -> None:
        self._account = account

    async def unary(self, answer: Callable[[], Any], method: str, request: Any, context: Any) -> Any:
        """Fails for the account."""
        if getattr(request, "account", "") == self._account:
            raise RuntimeError("planted")
        return await answer()


class WrongPrice(CallsFault):
    """Quotes of one pair are off by so many pips, both sides alike."""

    def __init__(self, pair: str, pips: float) -> None:
        base, counter = pair.split("/")
        self._pair, self._off = (base, counter), pips * PIP.get(counter, 0.0001)

    async def unary(self, answer: Callable[[], Any], method: str, request: Any, context: Any) -> Any:
        """Moves the quote of GetQuote."""
        given = await answer()
        if method != "GetQuote" or (request.base, request.counter) != self._pair:
            return given
        # The answer belongs to the board, which gives it again.
        wrong = type(given)()
        wrong.CopyFrom(given)
        wrong.quote.bid += self._off
        wrong.quote.ask += self._off
        return wrong


class Burns(CallsFault):
    """Each unary call takes so many times the processor time that it would take. What it takes by itself is learned
    meanwhile; the rest is spent a moment after the answer has left."""

    LEARNED_CALLS = 20
    """The first calls, which are dearer, say nothing and burn nothing."""
    AFTER_S = 0.001
    BURN_S_MAX = 0.01

    def __init__(self, factor: float) -> None:
        self._more, self._calls = factor - 1, 0
        self._began_s = self._burnt_s = 0.0

    async def unary(self, answer: Callable[[], Any], method: str, request: Any, context: Any) -> Any:
        """Answers, and burns later."""
        given = await answer()
        asyncio.get_running_loop().call_later(self.AFTER_S, self._burn)
        return given

    def _burn(self) -> None:
        self._calls += 1
        begin_s = time.process_time()
        own_s = begin_s - self._burnt_s
        if self._calls <= self.LEARNED_CALLS:
            self._began_s = own_s
            return
        spend_s = self._more * (own_s - self._began_s) / (self._calls - self.LEARNED_CALLS)
        end_s = begin_s + min(spend_s, self.BURN_S_MAX)
        while time.process_time() < end_s:
            pass
        self._burnt_s += time.process_time() - begin_s


class StreamsFail(CallsFault):
    """Streams fail after their first message; unary calls are well."""

    async def stream(self, answer: AsyncIterator[Any], method: str) -> AsyncIterator[Any]:
        """One message, then INTERNAL."""
        async for message in answer:
            yield message
            raise RuntimeError("planted")


def calls_fault(fault: str, argument: str, seed: int) -> CallsFault:
    """The fault of a name.

    errors:SHARE        a share of unary calls fails with INTERNAL
    unavailable:SHARE   the same with UNAVAILABLE
    slow:SECONDS        two calls in a hundred take so much longer
    account:NAME        calls of one account fail
    price:PAIR@PIPS     one pair's quotes are off
    burns:FACTOR        unary calls take so many times the processor time
    streams             streams fail after their first message

    Raises:
        ValueError: there is no such fault.
    """
    chance = random.Random(seed)
    if fault in ("errors", "unavailable"):
        return Errors(float(argument), chance, unavailable=fault == "unavailable")
    if fault == "slow":
        return Slow(float(argument), chance)
    if fault == "account":
        return OneAccount(argument)
    if fault == "price":
        pair, _, pips = argument.partition("@")
        return WrongPrice(pair, float(pips))
    if fault == "burns":
        return Burns(float(argument))
    if fault == "streams":
        return StreamsFail()
    if fault in OTHERS:
        return CallsFault()
    raise ValueError(f"there is no fault {fault!r}")


def _wrapped(name: str, method: Callable[..., Any], fault: CallsFault, version: str) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(method):

        @functools.wraps(method)
        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            context.set_trailing_metadata(((VERSION, version),))
            async for message in fault.stream(method(request, context), name):
                yield message

        return stream

    @functools.wraps(method)
    async def unary(request: Any, context: Any) -> Any:
        context.set_trailing_metadata(((VERSION, version),))
        return await fault.unary(lambda: method(request, context), name, request, context)

    return unary


def plant(fault: CallsFault, version: str) -> None:
    """Every method of every servicer that is added from now on answers through a fault, and says its version."""
    add = Server.add

    def with_fault(self: Server, register: Any, servicer: Any) -> None:
        for name, method in inspect.getmembers(servicer, callable):
            if name[0].isupper() and (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)):
                setattr(servicer, name, _wrapped(name, method, fault, version))
        add(self, register, servicer)

    Server.add = with_fault  # type: ignore[method-assign]


def start_late(seconds: float) -> None:
    """The program is busy for so long before it serves, as one that loads too much."""
    serve = Server.serve

    async def late(self: Server) -> None:
        await asyncio.sleep(seconds)
        await serve(self)

    Server.serve = late  # type: ignore[method-assign]


def leak(mib_a_second: float) -> None:
    """Memory that is touched and never given back, while it serves; at most LEAK_MIB_MAX."""
    serve, kept = Server.serve, []

    async def leaking() -> None:
        began = time.monotonic()
        while len(kept) < LEAK_MIB_MAX:
            wanted = int((time.monotonic() - began) * mib_a_second)
            kept.extend(bytearray(b"\x01") * (1 << 20) for _ in range(min(wanted, LEAK_MIB_MAX) - len(kept)))
            await asyncio.sleep(LEAK_TICK_S)

    async def serve_leaking(self: Server) -> None:
        task = asyncio.create_task(leaking(), name="leak")
        try:
            await serve(self)
        finally:
            task.cancel()

    Server.serve = serve_leaking  # type: ignore[method-assign]
