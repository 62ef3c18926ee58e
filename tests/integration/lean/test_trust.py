"""Who may open the socket, and who may not."""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from crossrate.rpc.lean import LeanTransport
from crossrate.rpc.lean.server import ServerConnection
from tests.integration.lean.peer import PATIENCE_S, call, connected
from tests.integration.lean.serving import Handlers, serving

NOBODY = 65_534
KNOCK = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(10)
peer.connect(sys.argv[1])
said = b""
try:
    peer.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + bytes((0, 0, 0, 4)) + bytes(5))
    said = peer.recv(100)
except ConnectionError:
    pass
sys.exit(len(said) > 0)
"""


async def test_the_socket_is_for_its_owner(server) -> None:
    """Its mode is 0600, and the mask of the process is what it was."""
    assert stat.S_IMODE(server[0].stat().st_mode) == 0o600
    before = os.umask(0o022)
    os.umask(before)
    async with serving() as (path, _, _):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        after = os.umask(before)
        assert after == before


@pytest.mark.parametrize(
    ("mode", "fits"), [(0o700, True), (0o755, True), (0o775, False), (0o757, False), (0o1777, True)]
)
async def test_a_folder_that_others_may_change(mode: int, fits: bool) -> None:
    """Whoever may replace the socket could stand in for the service; a sticky folder keeps them from it."""
    with tempfile.TemporaryDirectory(prefix="cr-") as folder:
        path, transport, handlers = Path(folder) / "s", LeanTransport(), Handlers()
        Path(folder).chmod(mode)
        if fits:
            await transport.start(path, handlers.methods(), handlers.unknown(), 1000)
            await transport.stop(0.0)
        else:
            with pytest.raises(PermissionError):
                await transport.start(path, handlers.methods(), handlers.unknown(), 1000)
            assert not path.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another account")
async def test_a_folder_of_another_account() -> None:
    """Its owner could replace the socket."""
    with tempfile.TemporaryDirectory(prefix="cr-") as folder:
        os.chown(folder, 65534, -1)
        handlers = Handlers()
        with pytest.raises(PermissionError, match="belongs to account 65534"):
            await LeanTransport().start(Path(folder) / "s", handlers.methods(), handlers.unknown(), 1000)


async def test_a_path_that_is_taken() -> None:
    """Nothing that stands there is replaced."""
    async with serving() as (path, handlers, _):
        before = path.stat().st_ino
        with pytest.raises(OSError, match="in use"):
            await LeanTransport().start(path, handlers.methods(), handlers.unknown(), 1000)
        assert path.stat().st_ino == before


async def _knock(path: Path, account: int) -> int:
    command = [sys.executable, "-c", KNOCK, str(path), str(account)]
    done = asyncio.to_thread(subprocess.run, command, check=False, timeout=PATIENCE_S, cwd="/")
    return (await done).returncode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
@pytest.mark.parametrize("trusted", [True, False])
async def test_a_process_of_another_account(trusted: bool) -> None:
    """It is not spoken to, unless its account was named, even if it can open the socket."""
    transport = LeanTransport(peers=frozenset({0, NOBODY})) if trusted else None
    async with serving(transport) as (path, _, _):
        path.parent.chmod(0o755)
        path.chmod(0o666)
        assert await _knock(path, NOBODY) == int(trusted)
        assert await _knock(path, 0) == 1


async def test_tcp_is_refused(server) -> None:
    """A connection that is not of a Unix socket is closed without a word."""
    loop = asyncio.get_running_loop()
    other = await loop.create_server(lambda: ServerConnection(server[2]), "127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection(*other.sockets[0].getsockname())
        with suppress(ConnectionResetError):
            assert await reader.read(100) == b""
        writer.close()
        assert not server[2].connections
    finally:
        other.close()
        await other.wait_closed()


async def test_connections_have_a_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the most is closed; when one has gone there is room again."""
    monkeypatch.setattr("crossrate.rpc.lean.server.CONNECTIONS_MAX", 2)
    async with serving() as (path, _, transport), connected(path):
        async with connected(path):
            with sockets.socket(sockets.AF_UNIX) as one_more:
                one_more.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(one_more, str(path))
                assert await loop.sock_recv(one_more, 100) == b""
            assert len(transport.connections) == 2
        async with asyncio.timeout(PATIENCE_S):
            while len(transport.connections) == 2:  # noqa: ASYNC110 - nobody tells when a connection has gone
                await asyncio.sleep(0)
        async with connected(path) as peer:
            peer.send(call(1, "/t/now", b"x"))
            (answer,) = await peer.finished(1)
            assert answer.status == "0"
