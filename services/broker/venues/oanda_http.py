"""HTTP to a venue that speaks the OANDA v20 API: paced, bounded, and plain about what is known of a request's fate."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from services.broker.venues.declared import OandaVenue

Json = dict[str, Any]
HOSTS = {
    "practice": ("https://api-fxpractice.oanda.com", "https://stream-fxpractice.oanda.com"),
    "live": ("https://api-fxtrade.oanda.com", "https://stream-fxtrade.oanda.com"),
}
ANSWER_BYTES_MAX = 32 << 20
LINE_BYTES_MAX = 1 << 20
SILENCE_S_MAX = 15.0
"""Three heartbeats of the venue."""


class Unknown(Exception):
    """Whether the venue has done it is not known: no answer came, or one that says nothing."""


class Turned(Exception):
    """The venue answered, and did not do it.

    Attributes:
        status: of HTTP.
        body: its JSON.
    """

    def __init__(self, status: int, body: Json) -> None:
        words = body.get("errorMessage") or body.get("errorCode") or f"HTTP {status}"
        super().__init__(str(words)[:500])
        self.status = status
        self.body = body


class Pace:
    """At most so many requests a second."""

    def __init__(self, per_s_max: float) -> None:
        self._apart_s = 1 / per_s_max
        self._next_s = 0.0

    async def turn(self) -> None:
        """Waits for the next request's turn."""
        now = time.monotonic()
        at = max(now, self._next_s)
        self._next_s = at + self._apart_s
        if at > now:
            await asyncio.sleep(at - now)

    def hold(self, seconds: float) -> None:
        """No request before so many seconds have passed."""
        self._next_s = max(self._next_s, time.monotonic() + seconds)


class OandaHttp:
    """The connections to one venue."""

    def __init__(self, spec: OandaVenue, folder: Path) -> None:
        rest, stream = HOSTS.get(spec.environment, (spec.url, spec.stream_url or spec.url))
        headers = {
            "authorization": f"Bearer {spec.token(folder)}",
            "accept-datetime-format": "RFC3339",
            "user-agent": "crossrate",
        }
        verify = _tls(folder / spec.ca_file if spec.ca_file else None)
        limits = httpx.Limits(max_connections=spec.connections_max, max_keepalive_connections=spec.connections_max)
        timeout = httpx.Timeout(spec.answer_s_max, connect=min(5.0, spec.answer_s_max))
        common: dict[str, Any] = {"headers": headers, "verify": verify, "trust_env": False, "follow_redirects": False}
        self._rest = httpx.AsyncClient(base_url=rest, limits=limits, timeout=timeout, **common)
        waits = httpx.Timeout(SILENCE_S_MAX, connect=5.0)
        self._stream = httpx.AsyncClient(base_url=stream, timeout=waits, **common)
        self._pace = Pace(spec.requests_per_s_max)

    async def ask(self, method: str, path: str, body: Json | None = None, **query: str) -> Json:
        """One request, sent once; but what the venue turned away for its rate is sent again.

        Raises:
            Turned: the venue did not do it.
            Unknown: perhaps it did.
        """
        for _ in range(5):
            await self._pace.turn()
            try:
                answer = await self._rest.request(method, path, json=body, params=query or None)
            except httpx.ConnectError as error:
                # Nothing was sent.
                raise Turned(0, {"errorMessage": f"the venue cannot be reached: {error}"}) from error
            except (httpx.HTTPError, OSError) as error:
                raise Unknown(f"no answer: {type(error).__name__} {error}") from error
            if answer.status_code != 429:
                return _read(answer)
            self._pace.hold(_seconds(answer.headers.get("retry-after", "")))
        raise Turned(429, {"errorMessage": "the venue turns requests away for their rate"})

    async def lines(self, path: str) -> AsyncIterator[Json]:
        """A stream's objects as they come; it ends when the venue ends it.

        Raises:
            Turned: the venue refuses it.
            Unknown: it broke, or was silent for too long.
        """
        try:
            async with self._stream.stream("GET", path) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    _read(answer)
                waiting = b""
                async for chunk in answer.aiter_bytes():
                    *whole, waiting = (waiting + chunk).split(b"\n")
                    if len(waiting) > LINE_BYTES_MAX:
                        raise Unknown(f"a line of its stream is longer than {LINE_BYTES_MAX} bytes")
                    for line in whole:
                        if line.strip():
                            yield _object(line)
        except (httpx.HTTPError, OSError) as error:
            raise Unknown(f"the stream broke: {type(error).__name__} {error}") from error

    async def close(self) -> None:
        """Ends all connections."""
        await self._rest.aclose()
        await self._stream.aclose()


def _tls(roots: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(roots) if roots else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _seconds(text: str) -> float:
    try:
        return min(10.0, max(0.1, float(text)))
    except ValueError:
        return 1.0


def _object(content: bytes) -> Json:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unknown("the venue's answer is no JSON") from error
    if not isinstance(found, dict):
        raise Unknown("the venue's answer is no JSON object")
    return found


def _read(answer: httpx.Response) -> Json:
    if len(answer.content) > ANSWER_BYTES_MAX:
        raise Unknown(f"the venue's answer is larger than {ANSWER_BYTES_MAX} bytes")
    if answer.status_code >= 500 or answer.status_code in (408, 499):
        raise Unknown(f"HTTP {answer.status_code}")
    if 200 <= answer.status_code < 300:
        return _object(answer.content)
    try:
        body = _object(answer.content)
    except Unknown:
        body = {}
    raise Turned(answer.status_code, body)
