"""Access tokens on calls out: where they come from, and what is done with a call that was refused for its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import grpc


class Tokens(Protocol):
    """Where a channel's access tokens come from; `crossrate.client.tokens` has them."""

    def current(self) -> str:
        """A token that is good now."""
        ...

    def renew(self, refused: str) -> bool:
        """Gets another than one that was refused; False if there is none."""
        ...


def at_hand(tokens: Tokens | None) -> bool:
    """Whether a call can be sent without waiting for a token: there is a good one, or none is needed. A source that
    does not say (`at_hand`) is asked at once."""
    ready = getattr(tokens, "at_hand", None)
    return ready is None or ready()


async def let_in(tokens: Tokens | None, wait: Callable[[], Awaitable[Any]], again: Callable[[], bool]) -> Any:
    """What a call answers. One that was refused for its token has done nothing, whatever the method: it is sent once
    more with another.

    Args:
        wait: waits for the attempt under way.
        again: begins another attempt; False if no time is left for it.

    Raises:
        grpc.aio.AioRpcError: the last attempt failed.
    """
    if tokens is None:
        return await wait()
    used = tokens.current()
    try:
        return await wait()
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED or not await asyncio.to_thread(tokens.renew, used):
            raise
        if not again():
            raise
        return await wait()
