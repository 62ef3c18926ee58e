"""Calls that only the deciding instance answers: there they are handled, elsewhere they are handed on to it.

The way is the deciding instance's own socket, which only the owner of the run folder can open: so who made the call is
told in a header that is believed of nobody else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc

from crossrate.rpc import errors
from crossrate.rpc.call import current_or_none
from crossrate.rpc.caller import LOCAL
from crossrate.rpc.client import CallError, ContractChannel, channel_to_socket
from services.risk.duty import Duty

ON_BEHALF = "x-crossrate-on-behalf-of"
"""Header of a call that was handed on: who made it."""
HANDED_ON = "x-crossrate-handed-on"
"""Header of a call that was handed on once, and is not again."""


def principal(context: Any) -> str:
    """Who makes the call: the identity that the proxy proved, or that another instance of risk says was proved."""
    call = current_or_none()
    if call is None:
        return LOCAL
    if call.caller == LOCAL:
        for key, value in context.invocation_metadata() or ():
            if key == ON_BEHALF:
                return str(value)
    return call.principal


class Deciding:
    """Where the deciding instance is.

    Args:
        socket: from an instance's name to its socket.
        transport: "lean" or "grpcio".
    """

    def __init__(self, duty: Duty, instance: str, socket: Callable[[str], Path], transport: str) -> None:
        self._duty = duty
        self._instance = instance
        self._socket = socket
        self._transport = transport
        self._channels: dict[str, ContractChannel] = {}

    @property
    def here(self) -> bool:
        """Whether this instance decides."""
        return self._duty.term is not None

    @property
    def authorises(self) -> bool:
        """Whether it also knows every account, so that it may authorise."""
        return self._duty.ready

    def _elsewhere(self, context: Any) -> ContractChannel:
        decider = self._duty.decider
        handed_on = any(key == HANDED_ON for key, _ in context.invocation_metadata() or ())
        if not decider or decider == self._instance or handed_on:
            raise errors.dependency_unavailable("risk", 0.2)
        channel = self._channels.get(decider)
        if channel is None:
            channel = channel_to_socket(self._socket(decider), transport=self._transport)
            self._channels[decider] = channel
        return channel

    async def hand_on(self, stub: Callable[[Any], Any], method: str, request: Any, context: Any) -> Any:
        """The deciding instance's answer to a call.

        Raises:
            Failure: as it answers, or nobody decides just now.
        """
        channel = self._elsewhere(context)
        try:
            return await getattr(stub(channel), method)(request, metadata=_headers(context))
        except CallError as error:
            raise _failure(error) from error

    async def hand_on_stream(
        self, stub: Callable[[Any], Any], method: str, request: Any, context: Any
    ) -> AsyncIterator[Any]:
        """The deciding instance's messages; ends as its stream does."""
        channel = self._elsewhere(context)
        try:
            async for message in getattr(stub(channel), method)(request, metadata=_headers(context)):
                yield message
        except CallError as error:
            raise _failure(error) from error

    def not_ready(self) -> errors.Failure:
        """Why orders are not authorised yet."""
        failure = errors.dependency_unavailable("trading", 0.2)
        failure.message = f"orders are not authorised yet: {self._duty.reading}"
        return failure

    async def close(self) -> None:
        """Closes the ways to other instances."""
        for channel in self._channels.values():
            await channel.close()


def _headers(context: Any) -> tuple[tuple[str, str], ...]:
    return (ON_BEHALF, principal(context)), (HANDED_ON, "1")


def _failure(error: CallError) -> errors.Failure:
    """What another instance refused, as our own refusal."""
    if error.reason in errors.ErrorReason.__members__:
        return errors.Failure(
            errors.ErrorReason[error.reason],
            error.message,
            metadata=error.metadata,
            violations=[errors.Violation(each.field, each.description) for each in error.violations],
            retry_after_s=error.retry_after_s,
        )
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.deadline_exceeded(str(error.method), 0.0)
    return errors.dependency_unavailable("risk", 0.2)
