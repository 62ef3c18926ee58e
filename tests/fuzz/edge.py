"""Broken frames of HTTP/2 and broken bodies of protobuf at the edge, and what good clients notice of them.

    uv run python tests/fuzz/edge.py --seconds 300

Each connection speaks TLS and begins as a client does; then come frames whose types, flags, streams, lengths and
payloads are what chance makes of good ones: headers with a good token, bodies that are almost a request, settings,
resets, windows, priorities. Good clients go on beside them. Exits 1 if a proxy or a service has ended or answered a
good client with an error; prints the good clients' 99th percentile without and with the others.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import ssl
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.reference.v1 import reference_service_pb2 as reference  # noqa: E402
from crossrate.rpc.contract import MethodContract, contracts  # noqa: E402
from crossrate.rpc.lean.fields import field  # noqa: E402
from tests.bench.figures import percentile  # noqa: E402
from tests.bench.load_channel import LoadChannel  # noqa: E402
from tests.integration.guarded import GuardedMesh, guarded_mesh  # noqa: E402
from tests.integration.matrix import MINE, ask  # noqa: E402

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
FRAMES_MAX = 60
WORKERS = 8
GOOD_PAUSE_S = 0.005
GET_INSTRUMENT = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
GOOD = reference.GetInstrumentRequest(base="EUR", counter="USD").SerializeToString()


def frame(kind: int, flags: int, stream: int, payload: bytes, length: int | None = None) -> bytes:
    """One frame (RFC 9113, section 4.1); `length` lies about the payload's."""
    size = len(payload) if length is None else length
    head = struct.pack(">I", size & 0xFFFFFF)[1:] + bytes((kind & 0xFF, flags & 0xFF)) + struct.pack(">I", stream)
    return head + payload


class Broken:
    """Connections as chance makes them; the same seed makes the same ones."""

    def __init__(self, seed: int, token: str) -> None:
        self._chance = random.Random(seed)
        self._token = token
        self._methods = [m for m in contracts().values() if m.roles]

    def connection(self) -> bytes:
        """All that one connection sends."""
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
        block = b"\x83\x87" + field(":path", method.path) + field(":authority", "localhost")
        block += field("te", "trailers") + field("content-type", kind)
        if chance.random() < 0.8:
            block += field("authorization", f"Bearer {self._token}")
        if chance.random() < 0.2:
            block = self._mutated(block, 0)
        raw = ask(method, MINE).raw
        body = self._mutated(raw + chance.randbytes(chance.randrange(64)), 0)
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
            async with asyncio.timeout(0.2):
                while await reader.read(65_536):
                    pass
        finally:
            writer.close()


class Good:
    """A client that does nothing wrong; `taken` are its calls' milliseconds, `failures` what went wrong."""

    def __init__(self, mesh: GuardedMesh) -> None:
        self._channel = LoadChannel(mesh.ports["edge"], mesh.place.ca_bundle.read_bytes())
        self._proof = list(mesh.bearer(mesh.issuer.token(sub="u-good")).items())
        self.failures: list[str] = []

    async def calls(self, seconds: float) -> list[float]:
        """Its calls for a while."""
        call, taken, end = self._channel.unary_unary(GET_INSTRUMENT), [], time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.perf_counter()
            try:
                await call(GOOD, metadata=self._proof, timeout=10)
                taken.append((time.perf_counter() - begun) * 1e3)
            except Exception as error:
                self.failures.append(repr(error))
            await asyncio.sleep(GOOD_PAUSE_S)
        return taken

    async def close(self) -> None:
        """Closes its connection."""
        await self._channel.close()


async def fuzz(mesh: GuardedMesh, seed: int, seconds: float) -> dict[str, Any]:
    """Sends broken connections for a while; what good clients saw before and meanwhile, and who has ended."""
    tls = ssl.create_default_context(cadata=mesh.place.ca_bundle.read_text())
    tls.set_alpn_protocols(["h2"])
    good, broken = Good(mesh), Broken(seed, mesh.issuer.token(("trader", "operator")))
    await good.calls(min(1.0, seconds / 4))
    before = await good.calls(seconds / 2)
    end, sent = time.monotonic() + seconds, 0

    async def worker() -> None:
        nonlocal sent
        while time.monotonic() < end:
            await send(mesh.ports["edge"], tls, broken.connection())
            sent += 1

    meanwhile, *_ = await asyncio.gather(good.calls(seconds), *(worker() for _ in range(WORKERS)))
    await good.close()
    ended = [name for name, process in mesh.processes.items() if process.returncode is not None]
    p99 = [percentile(taken, 0.99) for taken in (before, meanwhile)]
    return {"connections": sent, "p99_ms": p99, "failures": good.failures, "ended": ended}


async def run(seconds: float) -> int:
    """A guarded mesh, fuzzed with a new seed every ten seconds."""
    token_s, total = 240.0, 0
    with tempfile.TemporaryDirectory() as folder:
        async with guarded_mesh(Path(folder)) as mesh:
            begun = time.monotonic()
            for seed in range(1, 1 + max(1, round(seconds / 10))):
                found = await fuzz(mesh, seed, min(10.0, token_s, seconds))
                total += found["connections"]
                print(f"seed {seed}: {found}; {total} connections in {time.monotonic() - begun:.0f} s", flush=True)
                if found["failures"] or found["ended"]:
                    return 1
    return 0


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description="Fuzzes the edge's HTTP/2 and the bodies behind it.")
    parser.add_argument("--seconds", type=float, default=60.0)
    sys.exit(asyncio.run(run(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
