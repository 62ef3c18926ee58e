"""Ends of tasks: each comes, or is told in the log.

`asyncio.wait_for` of Python 3.11 gives its result back when a cancellation comes together with it, and the cancellation
is lost: nats-py waits by it everywhere. Whoever loops "until it is cancelled" then goes on for ever, and a TaskGroup
waits for it without end.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Coroutine, Iterable
from types import TracebackType
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

AGAIN_S = 2.0
"""A cancellation is repeated after this time; what a task does in order to end takes less."""
ENDED_S_MAX = 8.0
"""A task that does not end is left alone after this time: the process ends without it, before its supervisor kills
it."""
FRAMES_MAX = 12


async def heeded(work: Awaitable[T]) -> T:
    """What `work` comes to; a cancellation that it loses counts.

    Raises:
        asyncio.CancelledError: this task was cancelled meanwhile, whatever became of `work`.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        result = await work
    except Exception:
        if task.cancelling() > before:
            raise asyncio.CancelledError from None
        raise
    if task.cancelling() > before:
        raise asyncio.CancelledError
    return result


async def end(
    tasks: Iterable[asyncio.Future[Any]], *, again_s: float = AGAIN_S, ended_s_max: float = ENDED_S_MAX
) -> None:
    """Cancels tasks until all have ended, whatever with; those that do not in time are told in the log and left alone.

    Raises:
        asyncio.CancelledError: this task was cancelled meanwhile. They were cancelled once more at that moment, and
            have ended as well.
    """
    loop = asyncio.get_running_loop()
    tasks = set(tasks)
    pending = {task for task in tasks if not task.done()}
    until, cancelled = loop.time() + ended_s_max, False
    while pending:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=again_s)
        except asyncio.CancelledError:
            cancelled = True
        pending = {task for task in pending if not task.done()}
        if pending and loop.time() >= until:
            for task in pending:
                structlog.get_logger().error("a task does not end and is left alone", task=_told(task))
            break
    for task in tasks:
        task.add_done_callback(_retrieve)
    if cancelled:
        raise asyncio.CancelledError


async def briefly(work: Coroutine[Any, Any, Any], seconds_max: float) -> None:
    """Does something whose outcome nobody needs, and gives it up after a time: how a connection is closed."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds_max)
    finally:
        await end({task}, again_s=0.1, ended_s_max=1.0)


async def insistent(work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to, in a task of its own whose cancellation is repeated until it has ended."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        await end({task})
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error from None
        raise
    return task.result()


class Parts(asyncio.TaskGroup):
    """What runs beside a server: a TaskGroup whose tasks are cancelled when its block ends, as often as they need.

    A part that fails ends the block and the others, and the process with them: nothing serves by halves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begun: list[asyncio.Task[Any]] = []

    def create_task(self, coro: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
        """Begins a part."""
        options.setdefault("name", getattr(coro, "__qualname__", None))
        inner = insistent(coro)
        try:
            task = super().create_task(inner, **options)
        except BaseException:
            inner.close()
            coro.close()
            raise
        task.add_done_callback(lambda _: _never_begun(coro))
        self._begun.append(task)
        return task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Ends the parts, then as a TaskGroup does."""
        for task in self._begun:
            task.cancel()
        return await super().__aexit__(kind, error, trace)


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Whoever ends a task has no use for its error."""
    if not task.cancelled():
        task.exception()


def _never_begun(work: Coroutine[Any, Any, Any]) -> None:
    """What was cancelled before its first step is not a coroutine that somebody forgot."""
    if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
        work.close()


def _told(task: asyncio.Future[Any]) -> str:
    """A task and where it stands."""
    if not isinstance(task, asyncio.Task):
        return repr(task)
    frames: list[str] = []
    # The stack of a task ends with its outermost coroutine; what that waits for is found by following it.
    awaited: Any = task.get_coro()
    while awaited is not None and len(frames) < FRAMES_MAX:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None:
            frames.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return f"{task.get_name()}: {' > '.join(frames)}"
