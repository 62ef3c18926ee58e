"""Commands pass from the helper that prepares a server to the supervisor that starts it."""

import json
from pathlib import Path

from crossrate.node.command import Command
from crossrate.node.handover import decode_command, encode_command


def test_a_command_survives_json() -> None:
    """Every field of a command is the same after JSON."""
    command = Command(("/bin/true", "-x"), Path("/tmp"), {"TZ": "UTC"}, 65534, 65534, 2)
    assert decode_command(json.loads(json.dumps(encode_command(command)))) == command
