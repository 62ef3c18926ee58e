"""What READMEs show is what happens: their commands run, and the answers have the shape that they print."""

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

ROOT = Path(__file__).resolve().parents[2]
READMES = tuple(
    ROOT / name
    for name in (
        "README.md",
        "services/pricing/README.md",
        "services/risk/README.md",
        "libs/crossrate/client/README.md",
    )
)
TOO_BIG = ("./scripts/run", "./scripts/test")
"""Commands that are the test run itself or contain it; scripts/run has a test of its own."""


def shown() -> list[tuple[str, str]]:
    """Every command in a console block, with the output printed below it."""
    blocks = [block for path in READMES for block in re.findall(r"```console\n(.*?)```", path.read_text(), re.DOTALL)]
    found = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.strip()))
    return [(c, o) for c, o in found if not c.startswith(TOO_BIG)]


def programs() -> list[str]:
    """Every block of Python."""
    return [block for path in READMES for block in re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)]


def here(mesh: Mesh) -> dict[str, str]:
    """The environment of somebody at the mesh's own machine."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return mesh.environment | {"PATH": path, "COLUMNS": "110"}


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
    command = command.replace("localhost:8443", f"localhost:{mesh.edge_port}")
    command = command.replace(".crossrate/ca.pem", str(mesh.place.ca_bundle))
    command = command.replace(".crossrate/clients/", f"{mesh.place.state}/clients/")
    done = subprocess.run(
        command, shell=True, env=here(mesh), capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert shape((done.stdout + done.stderr).strip()) == shape(output), done.stdout + done.stderr


@pytest.mark.parametrize("program", programs(), ids=[f"python{i}" for i, _ in enumerate(programs())])
def test_a_program_of_a_readme_prints_what_its_comments_say(mesh: Mesh, program: str) -> None:
    """Each line that prints ends with a comment of what it prints, to the digit."""
    said = re.findall(r"^ *print\(.*\)  # (.+)$", program, re.MULTILINE)
    assert len(said) == program.count("print(") > 0
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=here(mesh),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert done.stdout.splitlines() == said, done.stderr
