"""A witness as a process of its own: `python -m crossrate.transparency.witness_server`, C2SP tlog-witness over HTTP.

It listens on a Unix socket and needs little: no gRPC, no event loop, a few MiB. It ends when its standard input does,
so that nothing is left behind by whoever started it.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import socketserver
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from crossrate.transparency.note import NoteError, Verifier
from crossrate.transparency.witness import TAKEN, Conflict, Refused, Witness

BODY_BYTES_MAX = 65_536
REQUEST_S_MAX = 10.0


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_S_MAX

    def handle_one_request(self) -> None:
        """One request; the process does not end within it."""
        with self.server.busy:
            super().handle_one_request()

    def do_POST(self) -> None:
        """`/add-checkpoint` (C2SP tlog-witness)."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a body of a known length that is not too long\n")
            return
        try:
            body = self.rfile.read(int(length)).decode()
            if self.path == "/add-checkpoint":
                self._answer(HTTPStatus.OK, self.server.witness.add(body))
            else:
                self._answer(HTTPStatus.NOT_FOUND, f"there is no {self.path}\n")
        except Conflict as conflict:
            self._answer(HTTPStatus.CONFLICT, f"{conflict.size}\n", "text/x.tlog.size")
        except Refused as refused:
            self._answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{refused}\n")
        except (NoteError, UnicodeDecodeError) as error:
            self._answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        except OSError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"the witness cannot write its file: {error.strerror}\n")

    def do_GET(self) -> None:
        """`/key`: the witness's public key."""
        if self.path == "/key":
            self._answer(HTTPStatus.OK, f"{self.server.witness.verifier}\n")
        else:
            self._answer(HTTPStatus.NOT_FOUND, f"there is no {self.path}\n")

    def address_string(self) -> str:
        """A Unix socket's peers have no address."""
        return "local"

    def log_message(self, format: str, *args: object) -> None:
        """Each request is in the file; nothing else is told."""

    def _answer(self, status: HTTPStatus, text: str, kind: str = "text/plain") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(socketserver.UnixStreamServer):
    """One request after another: there is one log, and its order is the point."""

    def __init__(self, path: str, witness: Witness) -> None:
        super().__init__(path, _Handler)
        self.witness = witness
        self.busy = threading.Lock()


def main() -> None:
    """Serves until standard input ends."""
    parser = argparse.ArgumentParser(description="Keeps and cosigns the checkpoints of one log.")
    parser.add_argument("--folder", type=Path, required=True, help="where its key and its file are")
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to listen on")
    parser.add_argument("--origin", required=True, help="name of the log")
    parser.add_argument("--key", action="append", required=True, help="public key of the log; may be given again")
    given = parser.parse_args()
    given.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(given.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(TAKEN)
    try:
        witness = Witness(given.folder, given.origin, [Verifier.parse(key) for key in given.key], time.time)
    except (NoteError, OSError) as error:
        sys.exit(f"the witness cannot start: {error}")
    given.socket.unlink(missing_ok=True)
    os.umask(0o177)
    with _Server(str(given.socket), witness) as server:
        threading.Thread(target=_end_with_input, args=(server, given.socket), daemon=True).start()
        server.serve_forever(poll_interval=None)


def _end_with_input(server: _Server, socket: Path) -> None:
    while os.read(0, 4096):
        pass
    with server.busy:
        socket.unlink(missing_ok=True)
        os._exit(0)


if __name__ == "__main__":
    main()
