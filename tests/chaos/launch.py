"""Becomes PostgreSQL: `python -m tests.chaos.launch STATE RUN`.

The server runs as another user where root starts it, which a process can only have its child do by a full fork. In one
whose threads are inside of gRPC the child may die in gRPC's fork handlers before it is the server, without a word; so
the fork is left to a process that has neither threads nor gRPC: this one, which then is the server.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from crossrate.node.postgres import PostgresServer
from crossrate.runtime.place import Place


def main() -> None:
    """Prepares the folder as the node does, and does not return."""
    command = PostgresServer(Place(Path(sys.argv[1]), Path(sys.argv[2]))).prepare()
    os.chdir(command.cwd)
    if command.user is not None and command.group is not None:
        os.setgroups([])
        os.setgid(command.group)
        os.setuid(command.user)
    os.execve(command.argv[0], command.argv, dict(command.env))


if __name__ == "__main__":
    main()
