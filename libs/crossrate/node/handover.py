"""What the supervisor and its helpers agree on, without the imports of either."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossrate.node.command import Command

ONLY = "CROSSRATE_PREPARE"
"""Environment variable of the provisioning helper: prepare this one server ("nats", "postgres") for another start."""

CONTROL = "control-1"
"""The one instance of the control plane: its sockets' names are known to the proxies."""


def encode_command(command: Command) -> dict[str, Any]:
    """A command as JSON."""
    return asdict(command) | {"cwd": str(command.cwd), "env": dict(command.env)}


def decode_command(document: dict[str, Any]) -> Command:
    """The command in JSON."""
    return Command(**(document | {"argv": tuple(document["argv"]), "cwd": Path(document["cwd"])}))
