"""What a browser or curl would send to the edge: REST, streams as lines or events, gRPC-Web. Standard library only."""

from __future__ import annotations

import http.client
import json
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

TIMEOUT_S = 15.0
TRAILERS = 0x80
"""Flag of the gRPC-Web frame that carries the status."""


class WebError(Exception):
    """The edge answered with an error; the message has its code and text."""


class Frame(NamedTuple):
    """One frame of gRPC-Web: a flag byte, four bytes of length (big-endian), then the payload."""

    flags: int
    payload: bytes


def encode_frame(payload: bytes) -> bytes:
    """A message as gRPC-Web sends it."""
    return struct.pack(">BI", 0, len(payload)) + payload


def decode_frames(body: bytes) -> list[Frame]:
    """The frames of a whole answer.

    Raises:
        WebError: it ends inside a frame.
    """
    frames, at = [], 0
    while at < len(body):
        if len(body) - at < 5:
            raise WebError("the gRPC-Web answer ends inside a frame's head")
        flags, length = struct.unpack_from(">BI", body, at)
        at += 5
        if len(body) - at < length:
            raise WebError("the gRPC-Web answer ends inside a frame")
        frames.append(Frame(flags, body[at : at + length]))
        at += length
    return frames


def read_answer(body: bytes, headers: dict[str, str]) -> bytes:
    """The one message of a unary gRPC-Web answer.

    Raises:
        WebError: its status is not OK, or it is not one message and a status.
    """
    frames = decode_frames(body)
    told = {k.lower(): v for k, v in headers.items()}
    for frame in frames:
        if frame.flags & TRAILERS:
            for line in frame.payload.decode("latin-1").split("\r\n"):
                name, _, value = line.partition(":")
                told[name.strip().lower()] = value.strip()
    status = told.get("grpc-status")
    if status != "0":
        raise WebError(f"gRPC-Web status {status or 'missing'}: {told.get('grpc-message', '')}")
    messages = [frame.payload for frame in frames if not frame.flags & TRAILERS]
    if len(messages) != 1:
        raise WebError(f"a unary answer has one message, this one has {len(messages)}")
    return messages[0]


class Web:
    """A plain HTTPS client of the edge. A call opens a connection of its own; all of them block.

    `client` is the file of a certificate with its key, by which it proves itself; None for nobody.
    """

    def __init__(self, target: str, ca_pem: bytes, client: Path | None = None) -> None:
        self._target = target
        self._context = ssl.create_default_context(cadata=ca_pem.decode())
        if client is not None:
            self._context.load_cert_chain(client)

    def _open(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._target, context=self._context, timeout=TIMEOUT_S)

    def get(self, path: str) -> dict[str, Any]:
        """The JSON that REST answers.

        Raises:
            WebError: it is not 200.
        """
        connection = self._open()
        try:
            connection.request("GET", path, headers={"accept": "application/json"})
            answer = connection.getresponse()
            return json.loads(_checked(answer))
        finally:
            connection.close()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON that REST answers to a JSON body.

        Raises:
            WebError: it is not 200.
        """
        connection = self._open()
        try:
            headers = {"accept": "application/json", "content-type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            return json.loads(_checked(connection.getresponse()))
        finally:
            connection.close()

    def lines(self, path: str, accept: str) -> Iterator[str]:
        """The lines of a stream without empty ones, as they come.

        Raises:
            WebError: it is not 200.
        """
        connection = self._open()
        try:
            connection.request("GET", path, headers={"accept": accept})
            answer = connection.getresponse()
            if answer.status != 200:
                _checked(answer)
            for line in answer:
                if text := line.decode().strip():
                    yield text
        finally:
            connection.close()

    def grpc_web(self, method: str, request: bytes) -> bytes:
        """One unary call in gRPC-Web framing; `method` is the wire path. Returns the answer's bytes.

        Raises:
            WebError: HTTP or gRPC answered with an error.
        """
        headers = {
            "content-type": "application/grpc-web+proto",
            "x-grpc-web": "1",
            "accept": "application/grpc-web+proto",
        }
        connection = self._open()
        try:
            connection.request("POST", method, encode_frame(request), headers)
            answer = connection.getresponse()
            return read_answer(_checked(answer), dict(answer.getheaders()))
        finally:
            connection.close()


def _checked(answer: http.client.HTTPResponse) -> bytes:
    body = answer.read()
    if answer.status == 200:
        return body
    try:
        words = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        words = body[:200].decode(errors="replace")
    raise WebError(f"HTTP {answer.status}: {words}")
