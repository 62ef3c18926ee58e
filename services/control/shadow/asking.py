"""Asking instances what the stable version was asked: on their own sockets, as the caller that it was."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from crossrate.rpc.contract import MethodContract
from crossrate.rpc.mirror import NOT_ANSWERS, SHADOW_ID, VALIDATE_ONLY, Manner, manner_of
from crossrate.rpc.tokens import TOKEN_HEADER
from services.control.registry import CHANNEL_OPTIONS

REQUEST_ID = "x-request-id"
ASK_S_MAX = 30.0
"""Longest wait for an answer; where the contract's deadline is shorter, that."""
ANSWER_BYTES_MAX = 8 << 20
_STATUS = "grpc-status-details-bin"
_OPTIONS = (*CHANNEL_OPTIONS, ("grpc.max_receive_message_length", ANSWER_BYTES_MAX))


class NotRepeatable(Exception):
    """A call may not be repeated, or its request cannot be read."""


def kind_of(contract: MethodContract, *, answer: bool) -> type[Message]:
    """The class of a method's answers, or of its requests."""
    return message_factory.GetMessageClass(contract.output if answer else contract.input)


def prepared(contract: MethodContract, request: bytes) -> bytes:
    """What is sent to repeat a request: as it was if the method has no side effects, else with `validate_only` set and
    an id of its own. Everything that is sent to a candidate or to stable comes from here.

    Raises:
        NotRepeatable: the contract does not allow it, or it is no request of the method.
    """
    manner = manner_of(contract)
    if manner is None:
        raise NotRepeatable(f"{contract.path} has side effects that cannot be left out")
    if manner is not Manner.VALIDATE_ONLY:
        return request
    try:
        message = kind_of(contract, answer=False).FromString(request)
    except DecodeError as error:
        raise NotRepeatable(f"it is no request of {contract.path}: {error}") from None
    setattr(message, VALIDATE_ONLY, True)
    if "request_id" in contract.input.fields_by_name:
        # The client's own id has an answer already, which says nothing of this version.
        message.request_id = str(uuid.uuid4())  # type: ignore[attr-defined]
    return message.SerializeToString()


def instrument_of(request: Message) -> str:
    """The pair that a request names; "" if it names none, or several."""
    fields = request.DESCRIPTOR.fields_by_name
    for name in ("instrument", "base"):
        field = fields.get(name)
        if field is None or field.type != field.TYPE_STRING or field.is_repeated:
            continue
        if name == "instrument":
            return str(request.instrument)  # type: ignore[attr-defined]
        if "counter" in fields:
            return f"{request.base}/{request.counter}"  # type: ignore[attr-defined]
    return ""


def expires_at(headers: Mapping[str, str]) -> float:
    """When the caller's token expires, in seconds since 1970; infinite without one, 0 of one that cannot be read."""
    payload = headers.get(TOKEN_HEADER)
    if payload is None:
        return float("inf")
    try:
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (ValueError, KeyError, TypeError):
        return 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to: the answer's bytes, or its status."""

    body: bytes | None
    failure: status_pb2.Status | None = None

    @property
    def settled(self) -> bool:
        """Whether it says something of the version, and not of the moment."""
        return self.failure is None or self.failure.code not in NOT_ANSWERS


def failure_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The status of a call that failed."""
    for key, value in error.trailing_metadata() or ():
        if key == _STATUS and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status(code=error.code().value[0], message=error.details() or "")


class Asking:
    """Channels to instances, by socket."""

    def __init__(self) -> None:
        self._channels: dict[str, grpc.aio.Channel] = {}

    def channel(self, socket: str) -> grpc.aio.Channel:
        """The channel to an instance."""
        channel = self._channels.get(socket)
        if channel is None:
            channel = self._channels[socket] = grpc.aio.insecure_channel(f"unix:{socket}", _OPTIONS)
        return channel

    @staticmethod
    def _metadata(headers: Mapping[str, str], request_id: str) -> list[tuple[str, str]]:
        return [*headers.items(), (REQUEST_ID, f"{SHADOW_ID}{request_id}")]

    async def unary(
        self, socket: str, contract: MethodContract, request: bytes, headers: Mapping[str, str], request_id: str
    ) -> Answer:
        """One call's outcome."""
        method = self.channel(socket).unary_unary(contract.path)
        timeout_s = min(contract.deadline_s, ASK_S_MAX)
        try:
            return Answer(await method(request, timeout=timeout_s, metadata=self._metadata(headers, request_id)))
        except grpc.aio.AioRpcError as error:
            return Answer(None, failure_of(error))

    async def stream(
        self,
        socket: str,
        contract: MethodContract,
        request: bytes,
        headers: Mapping[str, str],
        request_id: str,
        take: Callable[[bytes], None],
        bounds: tuple[float, int],
    ) -> Answer:
        """Opens a stream and takes its messages.

        Args:
            take: is given each message as it comes.
            bounds: seconds, and messages, after which it is left.

        Returns:
            Its failure, if it failed.
        """
        seconds, messages = bounds
        call = self.channel(socket).unary_stream(contract.path)(
            request, timeout=min(contract.deadline_s, ASK_S_MAX), metadata=self._metadata(headers, request_id)
        )
        try:
            async with asyncio.timeout(seconds):
                async for message in _first(call, messages):
                    take(message)
        except TimeoutError:
            pass
        except grpc.aio.AioRpcError as error:
            return Answer(None, failure_of(error))
        finally:
            call.cancel()
        return Answer(b"")

    async def forget(self, present: Iterable[str]) -> None:
        """Closes channels to sockets that are no instance's any more."""
        for socket in self._channels.keys() - set(present):
            await self._channels.pop(socket).close()

    async def close(self) -> None:
        """Closes all."""
        await self.forget(())


async def _first(messages: AsyncIterator[bytes], count: int) -> AsyncIterator[bytes]:
    """At most so many."""
    if count <= 0:
        return
    async for message in messages:
        yield message
        count -= 1
        if not count:
            return
