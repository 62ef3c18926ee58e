"""A cheap HTTP/1.1 client for tests that ask the edge thousands of things, also what no well-behaved client sends."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path

ANSWER_BYTES_MAX = 1 << 20


@dataclass
class Answer:
    """What came back: status (0 for a closed connection), headers by lower-case name, body as far as it was read."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class RawHttp:
    """One connection to the edge, opened again when it is closed. One request at a time."""

    def __init__(self, port: int, roots: str, client: Path | None = None) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cadata=roots)
        self._tls.set_alpn_protocols(["http/1.1"])
        if client is not None:
            self._tls.load_cert_chain(client)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, ssl=self._tls, server_hostname="localhost", limit=ANSWER_BYTES_MAX
            )
        return self._reader, self._writer

    async def ask(
        self, verb: str, path: str, headers: dict[str, str] | list[tuple[str, str]], body: bytes = b""
    ) -> Answer:
        """One request and its whole answer."""
        answer, chunks = await self.begin(verb, path, headers, body)
        if answer.status and chunks is not None:
            answer.body = b"".join([chunk async for chunk in chunks])
        return answer

    async def begin(
        self, verb: str, path: str, headers: dict[str, str] | list[tuple[str, str]], body: bytes = b""
    ) -> tuple[Answer, asyncio.StreamReader | None]:
        """One request; its answer's head, and what gives its body, piece by piece as it comes."""
        pairs = list(headers.items()) if isinstance(headers, dict) else headers
        lines = [f"{verb} {path} HTTP/1.1", "host: localhost", *(f"{k}: {v}" for k, v in pairs)]
        if body or verb not in ("GET", "HEAD", "OPTIONS"):
            lines.append(f"content-length: {len(body)}")
        raw = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
        for attempt in (0, 1):
            reader, writer = await self._open()
            try:
                writer.write(raw)
                head = await reader.readuntil(b"\r\n\r\n")
                break
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self.close()
                if attempt:
                    return Answer(0), None
        first, *rest = head.decode("latin-1").split("\r\n")
        found = {}
        for line in rest:
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        return Answer(int(first.split()[1]), found), self._body(verb, reader, found)

    async def _body(self, verb: str, reader: asyncio.StreamReader, headers: dict[str, str]):
        try:
            if verb == "HEAD":
                return
            if headers.get("transfer-encoding") == "chunked":
                while True:
                    size = int((await reader.readline()).split(b";")[0] or b"0", 16)
                    chunk = await reader.readexactly(size + 2)
                    if not size:
                        return
                    yield chunk[:-2]
            elif length := int(headers.get("content-length", "0")):
                yield await reader.readexactly(length)
            if headers.get("connection") == "close":
                await self.close()
        except (OSError, ValueError, asyncio.IncompleteReadError):
            await self.close()

    async def close(self) -> None:
        """Closes the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
