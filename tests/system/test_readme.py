"""What the README shows is what happens: its commands run, and their answers have the shape that it prints."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mesh import Mesh

pytestmark = pytest.mark.system

README = Path(__file__).resolve().parents[2] / "README.md"
TOO_BIG = ("./scripts/run", "./scripts/test")
"""Commands that are the test run itself or contain it; scripts/run has a test of its own."""


def shown() -> list[tuple[str, str]]:
    """Every command in a console block, with the output printed below it."""
    blocks = re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    found = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.strip()))
    return [(c, o) for c, o in found if not c.startswith(TOO_BIG)]


def shape(text: str) -> object:
    """What has to be the same from run to run: the fields of JSON, or the first word of any other line."""

    def fields(value: object) -> object:
        if isinstance(value, dict):
            return {k: fields(v) for k, v in value.items()}
        return [fields(v) for v in value[:1]] if isinstance(value, list) else type(value).__name__

    try:
        return fields(json.loads(text.removeprefix("data: ").split("\n")[0]))
    except ValueError:
        return [line.split()[0] for line in text.split("\n") if line.split() and line.split()[0].isascii()][:3]


@pytest.mark.parametrize(
    ("command", "output"), shown(), ids=[c.split()[0] + str(i) for i, (c, _) in enumerate(shown())]
)
def test_a_command_of_the_readme_does_what_it_shows(mesh: Mesh, command: str, output: str) -> None:
    """The command answers in the shape that the README prints."""
    if shutil.which(command.split()[0]) is None and command.split()[0] not in ("python", "crossrate"):
        pytest.skip(f"{command.split()[0]} is not on this machine")
    here = command.replace("localhost:8443", f"localhost:{mesh.edge_port}")
    here = here.replace(".crossrate/ca.pem", str(mesh.place.ca_bundle))
    environment = mesh.environment | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "110",
    }
    done = subprocess.run(
        here, shell=True, env=environment, capture_output=True, text=True, timeout=30, check=False, cwd=README.parent
    )
    assert shape((done.stdout + done.stderr).strip()) == shape(output), done.stdout + done.stderr
