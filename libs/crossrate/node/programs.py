"""What runs as a service on this machine: the checkout's own program, or the one that a release has promoted.

What was promoted stands in `<state>/programs.json` by service, so that a restart, a crash or the next start brings the
same version up. A service that is not in it runs as the checkout has it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crossrate.node.command import Command
from crossrate.runtime.durable import write_private
from crossrate.runtime.place import REPOSITORY, Place
from crossrate.runtime.topology import DEFAULT_PATH

PYTHON = "python"
"""The first word of a command that stands for the interpreter which the mesh itself runs in."""


@dataclass(frozen=True, slots=True)
class Program:
    """How the instances of a service are started.

    Args:
        version: what they call themselves; empty for the checkout's.
        command: the command line; empty for the service's own program.
        folder: a checkout in which it runs, with that one's libraries; empty for the mesh's own.
        environment: beside the mesh's own, which it cannot replace.
    """

    version: str = ""
    command: tuple[str, ...] = ()
    folder: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def with_version(self) -> dict[str, str]:
        """The environment, with the version as programs read it."""
        return dict(self.environment) | ({"CROSSRATE_VERSION": self.version} if self.version else {})

    @property
    def forked(self) -> bool:
        """Whether the zygote has it: it is the mesh's own checkout that the zygote has imported."""
        return not self.command and not self.folder

    def spawned(self, service: str, environment: Mapping[str, str]) -> Command:
        """The process of a program that is not forked. What the mesh's interpreter imports there is the folder's, the
        libraries too: its own packages are bound to the mesh's checkout."""
        first, *rest = self.command or (PYTHON, "-m", f"services.{service}")
        environment = dict(environment)
        if self.folder:
            # Who calls whom is the mesh's, and not what the folder has of it.
            environment.setdefault("CROSSRATE_TOPOLOGY", str(DEFAULT_PATH))
        if first == PYTHON and self.folder and "PYTHONPATH" not in self.environment:
            paths = (f"{self.folder}/libs", self.folder, environment.get("PYTHONPATH", ""))
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        argv = (sys.executable if first == PYTHON else first, *rest)
        return Command(argv, Path(self.folder or REPOSITORY), environment)


def read_program(document: Mapping[str, Any]) -> Program:
    """A program from its JSON form.

    Raises:
        ValueError: it is not one.
    """
    try:
        return Program(
            str(document.get("version", "")),
            tuple(str(word) for word in document.get("command", ())),
            str(document.get("folder", "")),
            {str(k): str(v) for k, v in dict(document.get("environment", {})).items()},
        )
    except (TypeError, AttributeError) as error:
        raise ValueError(f"it is not a program: {error}") from None


class Programs:
    """What was promoted, by service; one file, replaced as a whole."""

    def __init__(self, place: Place) -> None:
        self._path = place.state / "programs.json"
        try:
            document = json.loads(self._path.read_text())
        except FileNotFoundError:
            document = {}
        self._of = {str(service): read_program(entry) for service, entry in document.items()}
        self._before = {str(s): read_program(entry["before"]) for s, entry in document.items() if "before" in entry}

    def of(self, service: str) -> Program:
        """What runs as a service."""
        return self._of.get(service, Program())

    def promote(self, service: str, program: Program) -> None:
        """From now on this runs as the service; it is on disk when this returns."""
        if (before := self.of(service)) != program:
            self._before[service] = before
        self._keep(service, program)

    def take_back(self, service: str) -> None:
        """From now on what was before runs as the service, as for `promote`."""
        self._keep(service, self._before.pop(service, Program()))

    def _keep(self, service: str, program: Program) -> None:
        self._of[service] = program
        document = {s: asdict(p) for s, p in self._of.items()}
        for each, before in self._before.items():
            document[each]["before"] = asdict(before)
        write_private(self._path, json.dumps(document, indent=1) + "\n")
