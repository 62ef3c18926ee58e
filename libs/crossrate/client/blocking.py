"""Methods without asyncio: the same on an event loop of its own in a background thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

import grpc

from crossrate.client.methods import Answer, Item, Method, PagedMethod, Request, StreamMethod
from crossrate.client.resuming import Gap, Resumption, warn
from crossrate.rpc.call_error import Cancelled

T = TypeVar("T")

AHEAD = 1024
"""Messages of a stream that wait for a thread which iterates over it; when so many do, the stream waits."""


class ClientClosed(RuntimeError):
    """The client was closed, or belongs to the process that this one was forked from: make another."""


class Loop:
    """An event loop in a daemon thread, for any number of threads that wait for what it does."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._process = os.getpid()
        self._open = True
        self._submitting = threading.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crossrate-client", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begins a coroutine there; cancelling the future cancels it.

        Raises:
            ClientClosed: nothing runs there any more.
        """
        problem = ""
        if self._process != os.getpid():
            problem = "this client was made before the process was forked: make one in the new process"
        elif threading.current_thread() is self._thread:
            problem = "this thread serves the client: what it calls may not wait for the client"
        else:
            # What is submitted before the end is among what the end cancels.
            with self._submitting:
                if self._open:
                    return asyncio.run_coroutine_threadsafe(work, self._loop)
            problem = "this client is closed"
        work.close()
        raise ClientClosed(problem)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine there and waits for it here; an interruption here cancels it there."""
        future = self.submit(work)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise Cancelled(grpc.StatusCode.CANCELLED, "the client was closed", method="") from None
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncIterator[T], ahead: int = 1) -> Iterator[T]:
        """Iterates here over what is made there. Up to `ahead` items are made before they are asked for and fetched
        together, since the way between two threads costs more than most items; with 1 nothing is."""
        reader = _Reader(source, ahead)
        try:
            while items := self.run(reader.take()):
                yield from items
        finally:
            with contextlib.suppress(ClientClosed, Cancelled):
                self.run(reader.close())

    def close(self, last: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Ends what is still under way, does the last thing, ends the thread. Closing twice is nothing, nor is
        closing what belongs to another process."""
        if self._process != os.getpid():
            return
        with self._submitting:
            if not self._open:
                return
            self._open = False
            ending = asyncio.run_coroutine_threadsafe(self._end_all(last), self._loop)
        ending.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end_all(self, last: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        if last is not None:
            await last()


class _Reader(Generic[T]):
    """One iteration in the loop's thread, and what it has made that was not fetched."""

    def __init__(self, source: AsyncIterator[T], ahead: int) -> None:
        self._source, self._ahead = source, ahead
        self._made: list[T] = []
        self._ready, self._room = asyncio.Event(), asyncio.Event()
        self._making: asyncio.Task[None] | None = None

    async def take(self) -> list[T]:
        """What was made since, at least one item; nothing at the end. A failure comes after what was made before it."""
        if self._ahead == 1:
            async for item in self._source:
                return [item]
            return []
        if self._making is None:
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(lambda _: self._ready.set())
        await self._ready.wait()
        items, self._made = self._made, []
        self._room.set()
        if not self._making.done():
            self._ready.clear()
        elif not items:
            self._making.result()
        return items

    async def _make(self) -> None:
        async for item in self._source:
            self._made.append(item)
            self._ready.set()
            if len(self._made) >= self._ahead:
                self._room.clear()
                await self._room.wait()

    async def close(self) -> None:
        """Ends it."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)
        if (end := getattr(self._source, "aclose", None)) is not None:
            await end()


class BlockingMethod(Generic[Request, Answer]):
    """A method that returns its answer; see `Method` for what it takes."""

    def __init__(self, loop: Loop, method: Any) -> None:
        self._loop, self._method = loop, method
        self.contract = method.contract
        """What the contract says of it."""
        self.__name__, self.__doc__ = method.__name__, method.__doc__

    def request(self, request: Request | None = None, /, **fields: Any) -> Request:
        """As `Method.request`."""
        return self._method.request(request, **fields)

    def __call__(
        self, request: Request | None = None, /, *, timeout: float | None = None, metadata: Any = None, **fields: Any
    ) -> Answer:
        """Calls it and waits; `timeout` in seconds shortens the contract's deadline.

        Raises:
            CallError: the class is that of the failure.
        """
        # Made here, so that a large request does not make the calls of other threads wait.
        asked = self._method.request(request, **fields)
        return self._loop.run(self._answer(asked, timeout=timeout, metadata=metadata))

    def future(
        self, request: Request | None = None, /, *, timeout: float | None = None, metadata: Any = None, **fields: Any
    ) -> concurrent.futures.Future[Answer]:
        """Calls it without waiting; cancelling the future ends the call at the server too."""
        asked = self._method.request(request, **fields)
        return self._loop.submit(self._answer(asked, timeout=timeout, metadata=metadata))

    async def _answer(self, request: Any, **options: Any) -> Any:
        return await self._method(request, **options)

    def __repr__(self) -> str:
        return repr(self._method)


class BlockingPages(BlockingMethod[Request, Answer], Generic[Request, Answer, Item]):
    """See `PagedMethod`."""

    def pages(self, *request: Request, **fields: Any) -> Iterator[Answer]:
        """As `PagedMethod.pages`."""
        return self._loop.iterate(self._method.pages(*request, **fields))

    def items(self, *request: Request, **fields: Any) -> Iterator[Item]:
        """As `PagedMethod.items`."""
        name = self._method.items_field()
        for page in self.pages(*request, **fields):
            yield from getattr(page, name)


class BlockingStream(BlockingMethod[Request, Answer]):
    """A method that answers with a stream; see `StreamMethod`. Leaving the iteration ends the stream."""

    def __call__(  # type: ignore[override]
        self, request: Request | None = None, /, *, timeout: float | None = None, metadata: Any = None, **fields: Any
    ) -> Iterator[Answer]:
        """The stream as it comes, heartbeats and all."""
        asked = self._method.request(request, **fields)
        return self._loop.iterate(self._messages(asked, timeout=timeout, metadata=metadata), AHEAD)

    def future(self, request: Request | None = None, /, **fields: Any) -> concurrent.futures.Future[Any]:
        """A stream has no one answer: iterate over it in a thread."""
        raise TypeError(f"{self.contract.name} answers with a stream: iterate over it in a thread of its own")

    async def _messages(self, request: Any, **options: Any) -> AsyncIterator[Any]:
        call = self._method(request, **options)
        try:
            async for message in call:
                yield message
        finally:
            call.cancel()


class BlockingFollow(BlockingStream[Request, Answer]):
    """A method whose streams resume; see `StreamMethod`."""

    def events(self, *request: Request, **fields: Any) -> Iterator[Answer | Gap]:
        """As `StreamMethod.events`."""
        return self._loop.iterate(self._method.events(*request, **fields), AHEAD)

    def follow(
        self,
        *request: Request,
        timeout: float | None = None,
        metadata: Any = None,
        on_gap: Callable[[Gap], None] = warn,
        resumption: Resumption | None = None,
        **fields: Any,
    ) -> Iterator[Answer]:
        """As `StreamMethod.follow`; `on_gap` is called in the thread that iterates."""
        events = self.events(*request, timeout=timeout, metadata=metadata, resumption=resumption, **fields)
        for event in events:
            if isinstance(event, Gap):
                on_gap(event)
            else:
                yield event


def blocking(loop: Loop, method: Method) -> BlockingMethod:
    """A method without asyncio."""
    if isinstance(method, StreamMethod):
        return BlockingFollow(loop, method)
    if isinstance(method, PagedMethod):
        return BlockingPages(loop, method)
    return (BlockingStream if method.contract.server_streaming else BlockingMethod)(loop, method)
