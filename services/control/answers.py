"""A change is made once: a request that comes again with the same id gets the answer that the first one got."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message

from crossrate.rpc import errors

REMEMBERED_MAX = 512
"""Answers kept, the newest. They do not outlive the process: every change here may be made twice without harm, a
configuration by its expected version."""

A = TypeVar("A", bound=Message)


class Answers:
    """Answers by request id. Two requests with one id that come at once share the work; a failure is not remembered."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[bytes, asyncio.Task]] = OrderedDict()

    async def once(self, request_id: str, request: Message, work: Callable[[], Awaitable[A]]) -> A:
        """The answer to a request, made by `work` if it is new. The work goes on if the caller leaves.

        Raises:
            Failure: REQUEST_ID_REUSED if the id came before with another body; and whatever the work raises.
        """
        body = request.SerializeToString(deterministic=True)
        known = self._known.get(request_id)
        if known is None:
            task = asyncio.ensure_future(work())
            self._known[request_id] = (body, task)
            task.add_done_callback(lambda done: self._finished(request_id, done))
            while len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)
        elif known[0] != body:
            raise errors.request_id_reused(request_id)
        else:
            task = known[1]
        return await asyncio.shield(task)

    def _finished(self, request_id: str, task: asyncio.Task) -> None:
        if task.cancelled() or task.exception() is not None:
            known = self._known.get(request_id)
            if known is not None and known[1] is task:
                del self._known[request_id]
