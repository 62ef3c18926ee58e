"""The door: who comes in, how fast, with how much, and in which form answers go out."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from crossrate.rpc.call_error import CallError
from crossrate.store.errors import StoreError
from services.broker.oanda import words
from services.broker.oanda.book import Json
from services.broker.oanda.declared import OandaClient, OandaClients, Tokens
from services.broker.oanda.faults import UNAUTHORISED, Fault, bad_value

BODY_BYTES_MAX = 64 << 10
REQUEST_ID_MAX = 128
DEPTH_MAX = 8
"""How deep a body may be."""
BURST_S = 1.0
"""How long a client may save up requests."""
HEARTBEAT_S = 5.0


@dataclass(slots=True)
class Visitor:
    """A client that has proved itself."""

    name: str
    spec: OandaClient
    requests: float = 0.0
    """That it may make at once."""
    counted_s: float = field(default_factory=time.monotonic)
    streams: int = 0

    def may(self) -> bool:
        """Whether it may make one more request now."""
        now = time.monotonic()
        most = max(1.0, self.spec.requests_per_s_max * BURST_S)
        self.requests = min(most, self.requests + (now - self.counted_s) * self.spec.requests_per_s_max)
        self.counted_s = now
        if self.requests < 1:
            return False
        self.requests -= 1
        return True


@dataclass(slots=True)
class Asking:
    """One request of a client.

    Attributes:
        body: of its JSON; empty for none.
        unix: whether it wants times as seconds since 1970.
    """

    visitor: Visitor
    request: Request
    request_id: str
    unix: bool
    body: Json = field(default_factory=dict)

    @property
    def params(self) -> dict[str, str]:
        """Of its query."""
        return dict(self.request.query_params)

    def path(self, name: str) -> str:
        """A part of its path."""
        return self.request.path_params[name]


Answer = tuple[int, Json]
Handler = Callable[[Asking], Awaitable[Answer | Response]]


class Door:
    """Lets clients in and turns answers into HTTP."""

    def __init__(self, declared: OandaClients, tokens: Tokens, note: Any) -> None:
        self._tokens = tokens
        self._note = note
        self._visitors = {name: Visitor(name, spec, spec.requests_per_s_max) for name, spec in declared.clients.items()}

    def admit(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a handler."""

        async def endpoint(request: Request) -> Response:
            request_id = request.headers.get("x-request-id", "")[:REQUEST_ID_MAX] or str(uuid.uuid4())
            unix = request.headers.get("accept-datetime-format", "RFC3339").upper() == "UNIX"
            try:
                asking = Asking(self._visitor(request), request, request_id, unix)
                asking.body = await _body(request)
                answer = await handler(asking)
            except Fault as fault:
                return self._answer(fault.status, fault.body(), request_id, unix, fault.headers)
            except (StoreError, CallError, TimeoutError) as error:
                message = f"Service unavailable: {error}"
                return self._answer(503, {"errorMessage": message}, request_id, unix, {"retry-after": "1"})
            except ClientDisconnect:
                return Response(status_code=499)
            except Exception:
                self._note.exception("a request over the v20 API failed", request_id=request_id)
                body = {"errorMessage": f"Internal error; its log entry is {request_id}"}
                return self._answer(500, body, request_id, unix, {})
            if isinstance(answer, Response):
                answer.headers["requestid"] = request_id
                return answer
            return self._answer(*answer, request_id, unix, {})

        return endpoint

    async def nobody(self, request: Request, error: Exception) -> Response:
        """The answer where there is no such path, or no such method of it."""
        status = getattr(error, "status_code", 404)
        words_ = "there is no such path" if status == 404 else "the path has no such method"
        return JSONResponse({"errorMessage": f"{request.method} {request.url.path[:200]}: {words_}"}, status)

    def _answer(self, status: int, body: Json, request_id: str, unix: bool, headers: dict[str, str]) -> Response:
        shown = words.shown(body, unix)
        return JSONResponse(shown, status, {"requestid": request_id, "cache-control": "no-store", **headers})

    def known(self, request: Request) -> str | None:
        """The client whose token a request bears; None for nobody's."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not 16 <= len(token) <= 256 or not token.isascii():
            return None
        return self._tokens.client(token)

    def _visitor(self, request: Request) -> Visitor:
        name = self.known(request)
        if name is None:
            raise Fault(401, UNAUTHORISED, headers={"www-authenticate": 'Bearer realm="crossrate v20"'})
        visitor = self._visitors[name]
        account = request.path_params.get("account")
        if account is not None and account not in visitor.spec.accounts:
            raise Fault(403, UNAUTHORISED)
        if not visitor.may():
            allowed = f"{visitor.spec.requests_per_s_max:g}"
            raise Fault(
                429, f"Rate limit violation. Allowed rate: {allowed} requests per second.", headers={"retry-after": "1"}
            )
        return visitor

    def stream(self, asking: Asking, lines: AsyncIterator[Json]) -> Response:
        """An answer of one JSON object a line, as they come; it ends when the client's token does.

        Raises:
            Fault: the client has too many streams.
        """
        visitor = asking.visitor
        if visitor.streams >= visitor.spec.streams_max:
            raise Fault(429, f"Only {visitor.spec.streams_max} streams may be open at once.")

        async def told() -> AsyncIterator[bytes]:
            visitor.streams += 1
            try:
                async for line in lines:
                    if self.known(asking.request) != visitor.name:
                        return
                    yield json.dumps(words.shown(line, asking.unix), separators=(",", ":")).encode() + b"\n"
            finally:
                visitor.streams -= 1

        headers = {"cache-control": "no-store"}
        return StreamingResponse(told(), 200, headers, "application/octet-stream")


async def _body(request: Request) -> Json:
    if request.method not in ("POST", "PUT", "PATCH"):
        return {}
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > BODY_BYTES_MAX:
            raise Fault(413, f"The body is larger than {BODY_BYTES_MAX} bytes")
    if not read.strip():
        return {}
    try:
        found = json.loads(bytes(read), parse_float=str, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Fault(400, "Invalid JSON, ParseErrorCode: the body is no JSON object in UTF-8") from None
    if not isinstance(found, dict):
        raise Fault(400, "Invalid JSON, ParseErrorCode: the body is no JSON object")
    if _depth(found) > DEPTH_MAX:
        raise bad_value("body", f"deeper than {DEPTH_MAX}")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > DEPTH_MAX:
            return depth
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        waiting += [(one, depth + 1) for one in inner]
    return deepest
