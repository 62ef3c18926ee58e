"""The methods of services as the contract describes them: each can be called, some have pages, some have streams that
resume.

    await client.reference.GetInstrument(base="EUR", counter="USD")
    async for order in client.trading.ListOrders.items(account="alpha", working=True): ...
    async for message in client.risk.StreamMarginCalls.follow(): ...
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from crossrate.client.following import Followed, bounded
from crossrate.client.requests import class_of, request_of
from crossrate.client.resuming import Gap, Resumption, warn
from crossrate.rpc.call_error import Internal
from crossrate.rpc.contract import Idempotency, MethodContract
from crossrate.rpc.outgoing import StreamCall
from crossrate.rpc.request_id import new_request_id
from crossrate.rpc.shapes import Shape, items_field, page_fields, shape_of

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Item = TypeVar("Item")


class Method(Generic[Request, Answer]):
    """One method: call it with its request, or with the request's fields by name (see `request_of` for what they take).

    A write without a request id gets one, the same for all repetitions; the one that was sent stands in the failure's
    `request`.
    """

    def __init__(self, call: Callable[..., Any], contract: MethodContract) -> None:
        self._call = call
        self._kind: Any = class_of(contract.input)
        self._writes = contract.idempotency is Idempotency.IDEMPOTENT and "request_id" in contract.input.fields_by_name
        self.contract = contract
        """What the contract says of it: `deadline_s`, `idempotency`, `roles`, `step_up` and more."""
        self.__name__ = contract.name
        self.__doc__ = f"{contract.path}: takes {contract.input.full_name}, returns {contract.output.full_name}."

    def request(self, request: Request | None = None, /, **fields: Any) -> Request:
        """The request that a call would send; a request that is given is left as it is.

        Raises:
            TypeError: it is neither a request of this method nor its fields.
            ValueError: a field's value is none.
        """
        if request is not None and fields:
            raise TypeError(f"{self.contract.name} takes a request or its fields, not both")
        asked: Any = request
        if asked is None:
            asked = request_of(self._kind, fields)
        elif not isinstance(asked, Message) or asked.DESCRIPTOR is not self.contract.input:
            found = asked.DESCRIPTOR.name if isinstance(asked, Message) else type(asked).__name__
            raise TypeError(f"{self.contract.name} takes {self.contract.input.name}, not {found}")
        if self._writes and not asked.request_id:
            if asked is request:
                # A message that is used again is another change, and must not find this one's id in it.
                asked = self._kind()
                asked.CopyFrom(request)
            asked.request_id = new_request_id()
        return asked

    def __call__(
        self, request: Request | None = None, /, *, timeout: float | None = None, metadata: Any = None, **fields: Any
    ) -> Awaitable[Answer]:
        """Calls it; `timeout` in seconds shortens the contract's deadline.

        Raises:
            CallError: when it is awaited or iterated over; the class is that of the failure.
        """
        return self._call(self.request(request, **fields), timeout=timeout, metadata=metadata)

    def __repr__(self) -> str:
        asked, told = self.contract.input.name, self.contract.output.name
        stream = "stream " if self.contract.server_streaming else ""
        return f"<{type(self).__name__} {self.contract.path[1:]}({asked}) -> {stream}{told}>"


class _Pages:
    """How the next page is asked for."""

    def __init__(self, contract: MethodContract, fields: tuple[str, str]) -> None:
        self._begin, self._end = fields
        self._items = items_field(contract)

    def turn(self, request: Any, answer: Any) -> bool:
        """Makes the request that of the next page; False after the last."""
        next_value = getattr(answer, self._end)
        if self._end == "last_sequence":
            listed = getattr(answer, self._items)
            if not listed or listed[-1].sequence >= next_value:
                return False
            next_value = listed[-1].sequence
        elif not next_value:
            return False
        if getattr(request, self._begin) == next_value:
            raise _standing(request, self._begin)
        setattr(request, self._begin, next_value)
        return True


def _standing(request: Any, field: str) -> Internal:
    import grpc

    words = f"the server gave the same {field} for the next page as for this one"
    return Internal(grpc.StatusCode.INTERNAL, words, method=request.DESCRIPTOR.full_name)


class PagedMethod(Method[Request, Answer], Generic[Request, Answer, Item]):
    """A method whose answers come in pages: a call gets one, `items` and `pages` get all."""

    def __init__(self, call: Callable[..., Any], contract: MethodContract) -> None:
        super().__init__(call, contract)
        fields = page_fields(contract)
        assert fields is not None, f"{contract.name} has pages"
        self._pages = _Pages(contract, fields)
        self._items = items_field(contract)

    async def pages(
        self, request: Request | None = None, /, *, timeout: float | None = None, metadata: Any = None, **fields: Any
    ) -> AsyncIterator[Answer]:
        """Every page, as the answer that it came in; `timeout` is of each. `page_size` says how much one may hold."""
        asked = self._kind()
        asked.CopyFrom(self.request(request, **fields))
        while True:
            answer = await self._call(asked, timeout=timeout, metadata=metadata)
            more = self._pages.turn(asked, answer)
            yield answer
            if not more:
                return

    async def items(
        self, request: Request | None = None, /, *, timeout: float | None = None, metadata: Any = None, **fields: Any
    ) -> AsyncIterator[Item]:
        """Everything that is listed, page after page; a page is asked for when the one before is used up.

        Raises:
            TypeError: an answer holds no list (`pages` has it all the same).
        """
        name = self.items_field()
        async for page in self.pages(request, timeout=timeout, metadata=metadata, **fields):
            for item in getattr(page, name):
                yield item

    def items_field(self) -> str:
        """The field of an answer that holds what is listed.

        Raises:
            TypeError: there is none.
        """
        if not self._items:
            words = f"{self.contract.output.name} has columns, not a list: iterate over {self.contract.name}.pages"
            raise TypeError(words)
        return self._items


class StreamMethod(Method[Request, Answer]):
    """A method that answers with a stream: a call gets one as it comes, `follow` one that resumes."""

    def __call__(  # type: ignore[override]
        self, request: Request | None = None, /, *, timeout: float | None = None, metadata: Any = None, **fields: Any
    ) -> StreamCall:
        """Opens it as it comes, heartbeats and all; `timeout` in seconds shortens the contract's longest life."""
        return self._call(self.request(request, **fields), timeout=timeout, metadata=metadata)

    def events(
        self,
        request: Request | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        resumption: Resumption | None = None,
        **fields: Any,
    ) -> AsyncIterator[Answer | Gap]:
        """As `follow`, with the gaps in their places among the messages."""
        followed = Followed(self.contract, self.request(request, **fields), resumption)
        messages = followed.messages(functools.partial(self._call, metadata=metadata))
        return messages if timeout is None else bounded(messages, timeout, self.contract.path)

    async def follow(
        self,
        request: Request | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        on_gap: Callable[[Gap], None] = warn,
        resumption: Resumption | None = None,
        **fields: Any,
    ) -> AsyncIterator[Answer]:
        """The messages that carry something, until all that was asked for is there: heartbeats are left out, and a
        stream that breaks, is silent for 15 s, is drained or reaches its longest life goes on where it stopped.

        `message.position.cursor`, as `resume_cursor`, continues after a message in another process.

        Args:
            timeout: seconds for the whole of it, over all connections; without an end if it is not given.
            metadata: goes with the call each time that it is opened.
            on_gap: called before the next message if something is missing between, because the cursor was too old; by
                default it logs a warning. A stream that has a beginning (`start_time` and the like) fails instead.
            resumption: pauses between attempts, and when to give up.

        Raises:
            DeadlineExceeded: the time is over.
            CallError: the service refuses the request, or was not reachable for a minute.
        """
        events = self.events(request, timeout=timeout, metadata=metadata, resumption=resumption, **fields)
        async for event in events:
            if isinstance(event, Gap):
                on_gap(event)
            else:
                yield event


def method_of(call: Callable[..., Any], contract: MethodContract) -> Any:
    """A method as its contract has it; one to which a client streams is the stub's own."""
    match shape_of(contract):
        case Shape.SESSION:
            return call
        case Shape.FOLLOW:
            return StreamMethod(call, contract)
        case Shape.PAGES:
            return PagedMethod(call, contract)
    return Method(call, contract)
