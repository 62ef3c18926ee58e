"""Which handlers can never wait, and so need no task."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from crossrate.rpc.chain import can_suspend


async def plain(request: Any, context: Any) -> Any:
    """Nothing to wait at."""
    return [x for x in request if x]


async def awaits(request: Any, context: Any) -> Any:
    """An await."""
    await request
    return request


async def awaits_in_a_branch(request: Any, context: Any) -> Any:
    """An await that may never be reached."""
    return await request if context else request


async def iterates(request: Any, context: Any) -> Any:
    """An async for."""
    async for _ in request:
        pass


async def enters(request: Any, context: Any) -> Any:
    """An async with."""
    async with request:
        pass


async def comprehends(request: Any, context: Any) -> Any:
    """An async comprehension."""
    return [x async for x in request]


async def yields(request: Any, context: Any) -> Any:
    """An async generator."""
    yield request


async def defines(request: Any, context: Any) -> Any:
    """A function that waits, defined but not waited for."""

    async def inner() -> Any:
        return await request

    return inner


def returns_a_coroutine(request: Any, context: Any) -> Any:
    """No coroutine function, though it can be awaited."""
    return awaits(request, context)


class Servicer:
    """Methods, as generated code hands them over."""

    async def Get(self, request: Any, context: Any) -> Any:
        """Nothing to wait at."""
        return request

    async def Wait(self, request: Any, context: Any) -> Any:
        """An await."""
        return await request

    async def __call__(self, request: Any, context: Any) -> Any:
        """Not plainly a function."""
        return request


@pytest.mark.parametrize("handler", [plain, defines, Servicer().Get])
def test_code_without_a_place_to_wait(handler: Callable) -> None:
    """A coroutine function whose own code awaits nothing runs to its end once begun."""
    assert not can_suspend(handler)


@pytest.mark.parametrize(
    "handler",
    [
        awaits,
        awaits_in_a_branch,
        iterates,
        enters,
        comprehends,
        yields,
        returns_a_coroutine,
        Servicer().Wait,
        Servicer(),
        functools.partial(plain, ()),
        len,
    ],
)
def test_code_that_may_wait(handler: Callable) -> None:
    """Any await, in any branch and form, and whatever is not plainly a coroutine function, may wait."""
    assert can_suspend(handler)
