"""What happens around a handler, in one place for all four kinds of call.

arrival -> ids -> admission (caller, right, time, room) -> size, decoding, rules -> handler -> encoding -> status

On the way out every exception becomes a status, by the table in `errors`. The path of a call with one request and one
answer is written out in `_unary`, without a frame more than needed: it runs for every order.
"""

from __future__ import annotations

import asyncio
import dis
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from crossrate.api.common.v1 import stream_pb2
from crossrate.rpc import errors, refusals
from crossrate.rpc.admission import Admission, Method
from crossrate.rpc.call import Call, Stop, monotonic
from crossrate.rpc.contract import Idempotency, MethodContract
from crossrate.rpc.denials import DENIED, SERVICE, Denials
from crossrate.rpc.envelope import Envelope
from crossrate.rpc.errors import Failure, Violation
from crossrate.rpc.grants import guard
from crossrate.rpc.metrics import RpcCounts
from crossrate.rpc.mirror import Mirror, manner_of
from crossrate.rpc.tap import REQUEST, RESPONSE, Tap
from crossrate.rpc.tracing import Tracing
from crossrate.rpc.transport import CallContext, StreamAnswer, UnaryAnswer, Wrapped, headers_of
from crossrate.rpc.validation import Known, Validation, depends_on_time
from crossrate.runtime.logs import correlation
from crossrate.runtime.process import Runtime

_OK = 0
_CANCELLED = 1


class Chain:
    """Wraps handlers. One for each server."""

    def __init__(
        self,
        runtime: Runtime,
        admission: Admission,
        counts: RpcCounts,
        tap: Tap,
        denials: Denials | None = None,
        mirror: Mirror | None = None,
    ) -> None:
        self._runtime = runtime
        self._log = runtime.log
        self._access_log = runtime.settings.access_log
        self._admission = admission
        self._counts = counts
        self._tap = tap
        self._denials = denials if denials is not None else Denials()
        self._mirror = mirror if mirror is not None else Mirror()
        self._tracing = Tracing(runtime.telemetry)
        self._validation = Validation()

    def wrap(self, contract: MethodContract, handler: grpc.RpcMethodHandler, housekeeping: bool = False) -> Wrapped:
        """A method with everything around it.

        Args:
            handler: as the generated registration makes it.
            housekeeping: health and reflection; see `Method.housekeeping`.

        Raises:
            protovalidate.CompilationError: a rule of the request is not one.
            TypeError: the handler is of the wrong kind.
        """
        method = self._admission.method(contract, housekeeping)
        if contract.server_streaming:
            behaviour = handler.stream_stream if contract.client_streaming else handler.unary_stream
            if inspect.iscoroutinefunction(behaviour):
                raise TypeError(f"the handler of {contract.path} must be an async generator function")
            handle = self._stream(method, behaviour, handler)
        else:
            behaviour = handler.stream_unary if contract.client_streaming else handler.unary_unary
            if inspect.isasyncgenfunction(behaviour):
                raise TypeError(f"the handler of {contract.path} must be a coroutine function")
            handle = self._unary(method, behaviour, handler)
        streams = contract.client_streaming or contract.server_streaming
        suspends = streams or can_suspend(behaviour)
        return Wrapped(contract.path, contract.client_streaming, contract.server_streaming, handle, suspends)

    def unknown(self) -> Wrapped:
        """Answers paths that no method has."""

        async def handle(_request: Any, context: CallContext) -> bytes:
            self._counts.refused["", "UNIMPLEMENTED"] += 1
            _set_status(context, errors.unimplemented("this method"), errors.unimplemented("this method").to_status())
            return b""

        return Wrapped("", True, False, handle)

    def _decoder(self, method: Method, decode: Callable[[bytes], Message]) -> Callable[[bytes, Call], Message]:
        """Bytes to a request that keeps the contract's size and rules and names nothing that its client may not use."""
        bytes_max = method.contract.request_bytes_max
        check = self._validation.check(method.contract.input)
        reads = method.contract.idempotency is Idempotency.NO_SIDE_EFFECTS
        known = Known() if reads and not depends_on_time(method.contract.input) else None

        granted, proved = guard(method.contract), self._admission.factor_check(method)

        def read(raw: bytes, call: Call) -> Message:
            if len(raw) > bytes_max:
                too_large = f"the request has {len(raw)} bytes; the most is {bytes_max}"
                raise errors.invalid(Violation("", too_large, "request.max_bytes"))
            try:
                request = decode(raw)
            except DecodeError:
                name = method.contract.input.full_name
                raise errors.invalid(Violation("", f"the request is not a {name}", "request.encoding")) from None
            if granted is not None and call.client is not None:
                granted(call.client, request)
            if proved is not None and call.client is not None:
                proved(call.client, request)
            if check is not None and (known is None or raw not in known):
                check(request, raw)
                if known is not None:
                    known.add(raw)
            return request

        return read

    def _unary(self, method: Method, behaviour: Callable, handler: grpc.RpcMethodHandler) -> UnaryAnswer:
        contract, counts, admission, tap = method.contract, method.counts, self._admission, self._tap
        enter, leave, set_current = admission.enter, admission.leave, correlation.set
        read = self._decoder(method, handler.request_deserializer)
        encode = handler.response_serializer
        streamed = contract.client_streaming
        tapped = not method.housekeeping and contract.workload != "instance"
        traced = self._tracing.on and not method.housekeeping
        told = traced or (self._access_log and not method.housekeeping)
        mirror = self._mirror_of(contract)

        async def handle(raw: Any, context: CallContext) -> bytes:
            metadata = headers_of(context)
            call = Call(contract, metadata.get("x-request-id"), metadata.get("traceparent"))
            set_current(call)
            counts.started += 1
            counts.in_flight += 1
            code, message = _CANCELLED, ""
            answer: bytes | None = None
            status: status_pb2.Status | None = None
            try:
                enter(method, call, context, metadata)
                if traced:
                    self._begin_span(call, metadata.get("traceparent"))
                if streamed:
                    request = self._requests(call, raw, read, tapped)
                else:
                    if tapped and tap.readers:
                        tap.message(call, REQUEST, raw)
                    request = read(raw, call)
                    call.received = 1
                call.in_handler = call.reached = True
                call.handled = monotonic()
                answer = encode(await behaviour(request, context))
                call.in_handler = False
                if tapped and tap.readers:
                    tap.message(call, RESPONSE, answer)
                call.sent = 1
                code = _OK
                return answer
            except BaseException as error:
                failure, status = self._failed(call, error)
                code, message = status.code, failure.message
                _set_status(context, failure, status)
                return b""
            finally:
                leave(method, call, code)
                if told or (tapped and tap.readers):
                    self._finish(call, code, message, tapped)
                if mirror.readers and (answer is not None or status is not None):
                    mirror.passed(call, metadata, raw, answer, status)

        return handle

    def _stream(self, method: Method, behaviour: Callable, handler: grpc.RpcMethodHandler) -> StreamAnswer:
        contract, counts, tap, mirror = method.contract, method.counts, self._tap, self._mirror_of(method.contract)
        read, encode = self._decoder(method, handler.request_deserializer), handler.response_serializer
        envelope = Envelope(contract.output)
        tapped = not method.housekeeping and contract.workload != "instance"

        async def handle(raw: Any, context: CallContext) -> AsyncIterator[bytes]:
            metadata = headers_of(context)
            call = Call(contract, metadata.get("x-request-id"), metadata.get("traceparent"))
            correlation.set(call)
            counts.started += 1
            counts.in_flight += 1
            code, message = _CANCELLED, ""
            last: Message | None = None
            answers: AsyncIterator[Message] | None = None
            try:
                self._admission.enter(method, call, context, metadata)
                if not method.housekeeping:
                    self._begin_span(call, metadata.get("traceparent"))
                if contract.client_streaming:
                    request = self._requests(call, raw, read, tapped)
                else:
                    if tapped and tap.readers:
                        tap.message(call, REQUEST, raw)
                    request = read(raw, call)
                    call.received = 1
                    if mirror.readers:
                        mirror.passed(call, metadata, raw, None, None)
                call.reached = True
                call.handled = monotonic()
                answers = behaviour(request, context)
                take = answers.__anext__
                while call.stopped is None:
                    call.in_handler = True
                    try:
                        last = await take()
                    except StopAsyncIteration:
                        break
                    except asyncio.CancelledError:
                        if not call.interrupted():
                            raise
                        break
                    finally:
                        call.in_handler = False
                    answer = encode(last)
                    if tapped and tap.readers:
                        tap.message(call, RESPONSE, answer)
                    call.sent += 1
                    yield answer
                if call.stopped is Stop.REVOKED or (call.stopped is not None and not envelope.ends):
                    raise _failure_of_stop(call, self._runtime.instance)
                if envelope.ends and not envelope.closed(last):
                    yield encode(envelope.end(last, call.end_reason))
                code = _OK
            except Exception as error:
                failure, status = self._failed(call, error)
                code, message = status.code, failure.message
                _set_status(context, failure, status)
                if envelope.fails and last is not None and not envelope.closed(last):
                    yield encode(envelope.error(last, status))
            finally:
                try:
                    if answers is not None:
                        await answers.aclose()
                finally:
                    self._admission.leave(method, call, code)
                    if not method.housekeeping:
                        self._finish(call, code, message, tapped)

        return handle

    def _mirror_of(self, contract: MethodContract) -> Mirror:
        """Where calls of a method are left to be repeated; where they may not be, nobody ever reads."""
        return self._mirror if manner_of(contract) is not None else Mirror()

    async def _requests(
        self, call: Call, raws: AsyncIterator[bytes], read: Callable[[bytes, Call], Message], tapped: bool
    ) -> AsyncIterator[Message]:
        """The requests of a call that sends several, each checked as it comes."""
        async for raw in raws:
            if tapped and self._tap.readers:
                self._tap.message(call, REQUEST, raw)
            request = read(raw, call)
            call.received += 1
            yield request

    def _failed(self, call: Call, error: BaseException) -> tuple[Failure, status_pb2.Status]:
        """What an exception means for the caller.

        Raises:
            BaseException: the error itself, if the caller is not there any more or another has answered it.
        """
        failure = self._failure(call, error)
        if not call.reached:
            self._counts.refused[call.name, failure.reason.name] += 1
        # Its words alone: the error itself holds the frames that it passed, and what was in them.
        call.failure = failure.reason.name, failure.message
        if failure.reason in DENIED:
            self._denials.note(call.name, str(call.client or call.caller), failure.reason, SERVICE)
        return failure, failure.to_status(call.request_id)

    def _failure(self, call: Call, error: BaseException) -> Failure:
        match error:
            case Failure():
                return error
            case asyncio.CancelledError() if call.interrupted():
                return _failure_of_stop(call, self._runtime.instance)
            case NotImplementedError():
                return errors.unimplemented(call.name)
            case TimeoutError() if call.remaining_s() == 0.0:
                return errors.deadline_exceeded(call.name, call.deadline - call.begun)
            case grpc.aio.AioRpcError() if (failure := _failure_of_peer(call, error)) is not None:
                return failure
            case grpc.aio.AbortError():
                raise error
            case AssertionError():
                self._counts.invariants_broken += 1
                self._log.critical("an invariant broke; draining", exc_info=error)
                self._runtime.broken()
            case Exception():
                self._counts.unexpected += 1
                self._log.error("the handler failed", exc_info=error)
            case _:
                raise error
        return errors.internal(call.request_id)

    def _begin_span(self, call: Call, header: str | None) -> None:
        if self._tracing.on:
            attributes = {"crossrate.request_id": call.request_id, "crossrate.caller": call.caller}
            call.span = self._tracing.begin(call.method.service, call.method.name, header, attributes)

    def _finish(self, call: Call, code: int, message: str, tapped: bool) -> None:
        """What is told of a call's end to those who asked."""
        if tapped and self._tap.readers:
            self._tap.status(call, code, message)
        if self._access_log:
            self._log.info("call", code=code, message=message, received=call.received, sent=call.sent)
        if call.span is not None:
            call.span.end(code, message, call.received, call.sent)


def can_suspend(behaviour: Callable) -> bool:
    """Whether a handler may ever wait: a coroutine suspends only where its code yields, and `await`, `async for` and
    `async with` all do. A handler that is not plainly a coroutine function may."""
    if not inspect.iscoroutinefunction(behaviour):
        return True
    code = getattr(behaviour, "__code__", None)
    return code is None or any(step.opname == "YIELD_VALUE" for step in dis.get_instructions(code))


def _failure_of_stop(call: Call, instance: str) -> Failure:
    """Why the server stopped a handler."""
    if call.stopped is Stop.REVOKED:
        return refusals.session_revoked(call.name)
    draining = call.end_reason == stream_pb2.STREAM_END_REASON_DRAINING
    if call.stopped is Stop.SHUTDOWN or draining:
        return errors.shutting_down(instance)
    return errors.deadline_exceeded(call.name, call.deadline - call.begun)


def _failure_of_peer(call: Call, error: grpc.aio.AioRpcError) -> Failure | None:
    """What another service's failure that the handler let through means for our caller; None if it is our fault."""
    match error.code():
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return errors.deadline_exceeded(call.name, call.deadline - call.begun)
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.RESOURCE_EXHAUSTED:
            cause = errors.failure_of(error)
            retry_after_s = cause.retry_after_s if cause else None
            return errors.dependency_unavailable("another service", retry_after_s or 1.0)
    return None


def _set_status(context: CallContext, failure: Failure, status: status_pb2.Status) -> None:
    context.set_code(failure.code)
    context.set_details(status.message)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
