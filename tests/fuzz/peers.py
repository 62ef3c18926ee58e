"""Clients of the edge, each in a process of its own: what one computes must not slow down what another measures.

    good        calls one after another, and says how long they took
    broken      connections of broken frames and bodies, so many a second
    harmless    as many connections with as many calls, in which nothing is broken

What a connection sends is made ahead; the same seed makes the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import ssl
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.rpc.contract import MethodContract, contracts
from crossrate.rpc.lean.fields import field
from tests.bench.load_channel import LoadChannel
from tests.integration.matrix import MINE, ask

ROOT = Path(__file__).resolve().parents[2]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
FRAMES_MAX = 60
OPEN_MAX = 32
"""Connections that one peer has open at once; beyond them it waits, and says that it did."""
READ_S = 0.2
GOOD_PAUSE_S = 0.005
GET_INSTRUMENT = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
GOOD = reference.GetInstrumentRequest(base="EUR", counter="USD").SerializeToString()


def frame(kind: int, flags: int, stream: int, payload: bytes, length: int | None = None) -> bytes:
    """One frame (RFC 9113, section 4.1); `length` lies about the payload's."""
    size = len(payload) if length is None else length
    head = struct.pack(">I", size & 0xFFFFFF)[1:] + bytes((kind & 0xFF, flags & 0xFF)) + struct.pack(">I", stream)
    return head + payload


class Peers:
    """Connections as chance makes them; the same seed makes the same ones."""

    def __init__(self, seed: int, token: str) -> None:
        self._chance = random.Random(seed)
        self._token = token
        self._methods = [m for m in contracts().values() if m.roles]
        self._bodies = {m.path: ask(m, MINE).raw for m in self._methods}

    def harmless(self) -> bytes:
        """All that a connection sends on which nothing is broken: as many calls as a broken one has on average."""
        chance = self._chance
        sent = [PREFACE, frame(SETTINGS, 0, 0, b"")]
        for number in range(chance.randrange(1, FRAMES_MAX) // 2):
            method = chance.choice(self._methods)
            raw = self._bodies[method.path]
            block = self._head(method, "application/grpc") + self._proof()
            message = b"\0" + struct.pack(">I", len(raw)) + raw
            sent += [frame(HEADERS, 0x4, 2 * number + 1, block), frame(DATA, 1, 2 * number + 1, message)]
        return b"".join(sent)

    def _head(self, method: MethodContract, kind: str) -> bytes:
        block = b"\x83\x87" + field(":path", method.path) + field(":authority", "localhost")
        return block + field("te", "trailers") + field("content-type", kind)

    def _proof(self) -> bytes:
        return field("authorization", f"Bearer {self._token}")

    def broken(self) -> bytes:
        """All that a broken connection sends."""
        chance = self._chance
        sent = [PREFACE, frame(SETTINGS, 0, 0, b"")]
        stream = 1
        for _ in range(chance.randrange(1, FRAMES_MAX)):
            if chance.random() < 0.5:
                sent += self._call(chance.choice(self._methods), stream)
                stream += 2
            else:
                sent.append(self._any(stream))
        whole = b"".join(sent)
        if chance.random() < 0.3:
            whole = self._mutated(whole, len(PREFACE) if chance.random() < 0.9 else 0)
        return whole

    def _call(self, method: MethodContract, stream: int) -> list[bytes]:
        chance = self._chance
        kind = "application/" + chance.choice(["grpc", "grpc-web+proto", "json", "grpc+x"])
        block = self._head(method, kind)
        if chance.random() < 0.8:
            block += self._proof()
        if chance.random() < 0.2:
            block = self._mutated(block, 0)
        body = self._mutated(self._bodies[method.path] + chance.randbytes(chance.randrange(64)), 0)
        message = bytes((chance.choice((0, 0, 0, 1, 0x80)),)) + struct.pack(
            ">I", len(body) if chance.random() < 0.8 else chance.randrange(1 << 32)
        )
        return [
            frame(HEADERS, 0x4 | (1 if chance.random() < 0.1 else 0), stream, block),
            frame(DATA, chance.choice((0, 1, 1, 8)), stream, message + body),
        ]

    def _any(self, stream: int) -> bytes:
        chance = self._chance
        kind = chance.choice((*range(10), chance.randrange(256)))
        payload = chance.randbytes(chance.choice((0, 4, 5, 6, 8, chance.randrange(200))))
        where = chance.choice((0, 1, max(1, stream - 2), stream, chance.randrange(1 << 31)))
        length = None if chance.random() < 0.95 else chance.randrange(1 << 24)
        return frame(kind, chance.choice((0, 1, 4, 5, chance.randrange(256))), where, payload, length)

    def _mutated(self, raw: bytes, start: int) -> bytes:
        chance, out = self._chance, bytearray(raw)
        for _ in range(chance.randrange(1, 6)):
            if len(out) > start:
                at = chance.randrange(start, len(out))
                match chance.randrange(3):
                    case 0:
                        out[at] = chance.randrange(256)
                    case 1:
                        del out[at : at + chance.randrange(1, 8)]
                    case _:
                        out[at:at] = chance.randbytes(chance.randrange(1, 8))
        return bytes(out)


async def send(port: int, tls: ssl.SSLContext, raw: bytes) -> None:
    """One connection: sends, reads what comes for a moment, goes."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost")
        try:
            writer.write(raw)
            async with asyncio.timeout(READ_S):
                while await reader.read(65_536):
                    pass
        finally:
            writer.close()


async def churn(order: dict[str, Any], made: list[bytes]) -> dict[str, Any]:
    """Opens connections at a rate; how many there were."""
    tls = ssl.create_default_context(cadata=order["roots"])
    tls.set_alpn_protocols(["h2"])
    room, tasks, begun = asyncio.Semaphore(OPEN_MAX), set(), time.monotonic()
    late = sent = 0

    async def one(raw: bytes) -> None:
        try:
            await send(order["port"], tls, raw)
        finally:
            room.release()

    for number, raw in enumerate(made):
        due = number / order["rate"]
        if (now := time.monotonic() - begun) >= order["seconds"]:
            break
        await asyncio.sleep(max(0.0, due - now))
        late += room.locked()
        await room.acquire()
        sent += 1
        task = asyncio.create_task(one(raw))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return {"connections": sent, "late": late}


async def good(order: dict[str, Any]) -> dict[str, Any]:
    """Calls for a while: milliseconds of each, and what went wrong."""
    channel = LoadChannel(order["port"], order["roots"].encode())
    call, proof = channel.unary_unary(GET_INSTRUMENT), [("authorization", f"Bearer {order['token']}")]
    taken, failures = [], []
    end = time.monotonic() + order["seconds"]
    while time.monotonic() < end:
        begun = time.perf_counter()
        try:
            await call(GOOD, metadata=proof, timeout=10)
            taken.append((time.perf_counter() - begun) * 1e3)
        except Exception as error:
            failures.append(repr(error))
        await asyncio.sleep(GOOD_PAUSE_S)
    await channel.close()
    return {"taken": taken, "failures": failures}


class Peer:
    """One of them: prepared when it is entered, it begins with `go`.

    Args:
        order: `kind`, `port`, `roots` (PEM), `token`, `seconds`; of connections also `seed` and `rate` a second.
    """

    def __init__(self, **order: Any) -> None:
        self._order = order

    async def __aenter__(self) -> Peer:
        """Ready."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fuzz.peers"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            limit=1 << 24,
        )
        self._process.stdin.write(json.dumps(self._order).encode() + b"\n")
        await self._process.stdin.drain()
        assert (await self._process.stdout.readline()).strip() == b"ready"
        return self

    async def go(self) -> dict[str, Any]:
        """What it tells when it is done."""
        self._process.stdin.write(b"go\n")
        return json.loads(await self._process.stdout.readline())

    async def __aexit__(self, *_: object) -> None:
        """Ended."""
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 5.0)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def _main() -> None:
    order = json.loads(await asyncio.to_thread(sys.stdin.readline))
    made: list[bytes] = []
    if order["kind"] != "good":
        make = getattr(Peers(order["seed"], order["token"]), order["kind"])
        made = [make() for _ in range(int(order["rate"] * order["seconds"]))]
    print("ready", flush=True)
    if (await asyncio.to_thread(sys.stdin.readline)).strip() == "go":
        found = await (good(order) if order["kind"] == "good" else churn(order, made))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
