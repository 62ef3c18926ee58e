"""Any stream of the platform, resumed where it broke, as its contract alone describes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import Descriptor

from crossrate.client.resuming import ResumingStream, Resumption
from crossrate.rpc.call_error import DeadlineExceeded
from crossrate.rpc.contract import MethodContract

T = TypeVar("T")

_BEGINS = ("start_time", "first_index", "after_sequence")
"""Fields that say where a stream begins: begun anew, it would send everything again."""


def _oneof(answer: Descriptor) -> str:
    oneof = answer.fields_by_name["end"].containing_oneof
    assert oneof is not None, "the end of a stream is one of what its messages carry"
    return oneof.name


async def bounded(source: AsyncIterator[T], timeout_s: float, method: str) -> AsyncIterator[T]:
    """An iteration that ends with DeadlineExceeded when its time is over."""
    end_s = asyncio.get_running_loop().time() + timeout_s
    while True:
        scope = asyncio.timeout_at(end_s)
        try:
            async with scope:
                item = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError:
            if not scope.expired():
                raise
            words = f"the {timeout_s:g} s for which the stream was to be followed are over"
            raise DeadlineExceeded(grpc.StatusCode.DEADLINE_EXCEEDED, words, method=method) from None
        yield item


class Followed(ResumingStream[Any]):
    """The state of one reader of any stream: the cursor, and how many messages are still asked for.

    Args:
        contract: the method.
        request: what is asked for; it is copied.
        resumption: how a broken stream is resumed.
    """

    def __init__(self, contract: MethodContract, request: Any, resumption: Resumption | None = None) -> None:
        asked = type(request)()
        asked.CopyFrom(request)
        self.oneof = _oneof(contract.output)
        self._bounded = bool(getattr(asked, "max_messages", 0))
        self.begins_anew = not any(name in contract.input.fields_by_name for name in _BEGINS)
        super().__init__(contract.path, asked, resumption or Resumption())

    def messages(self, open_call: Callable[..., Any]) -> AsyncIterator[Any]:
        """The answers that carry something, and gaps, until the stream is complete."""
        return self.events(SimpleNamespace(**{self._method.rpartition("/")[2]: open_call}))

    def _taken(self, message: Any) -> list[Any]:
        return [message]

    def _moved(self, message: Any) -> None:
        super()._moved(message)
        if self._bounded and message.WhichOneof(self.oneof) not in ("heartbeat", "end"):
            self._request.max_messages -= 1
            # 0 would ask for a stream without end.
            self.complete = not self._request.max_messages

    def _forget(self) -> None:
        """Nothing but the cursor is kept."""
