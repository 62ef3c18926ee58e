"""What a release is to do: `mesh/releases/<name>.toml`, checked as a whole before anything moves.

The API names a specification and never brings one: what runs is a command line, and who may choose it is who may write
the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from crossrate.rpc.contract import contracts
from services.control.releases import business_rules
from services.control.releases.parts import Business, Duration
from services.control.releases.parts import Part as _Part
from services.control.releases.pins import PINS_MAX, PinRule, Sticky, of_the_mesh
from services.control.releases.problems import problems_of_fields
from services.control.releases.released import Candidate, Released, unstartable
from services.control.releases.rolling import INSTANCES_MAX, Rolling, stops
from services.control.releases.rules import Abort, Analysis
from services.control.releases.steps import Step, too_small, wrong_with
from services.control.shadow.plan import ShadowPlan, problems_of, unfillable
from services.control.split import DESK_HEADER, Split
from services.control.state import CONTROL

STEPS_MAX = 50
BUSINESS_MAX = 16
SERVICES_MAX = 8
FILE_BYTES_MAX = 64 << 10
NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,62}$")


class SpecificationError(ValueError):
    """A specification cannot be used; `problems` says which field and what to do, one entry a field."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {why}" for field, why in problems))
        self.problems = tuple(problems)


class Specification(_Part):
    """A release as its file says it."""

    service: str
    """The first of its services: the one that calls the others."""
    strategy: Literal["canary", "blue_green", "ab", "shadow", "rolling"] = "canary"
    candidate: Candidate
    """What runs beside that one."""
    services: tuple[Released, ...] = Field(default=(), max_length=SERVICES_MAX)
    """Of several services all of them, callers before whom they call; instead of service and candidate."""
    steps: tuple[Step, ...] = Field(default=(), max_length=STEPS_MAX)
    sticky: Sticky = Sticky()
    pins: tuple[PinRule, ...] = Field(default=(), max_length=PINS_MAX)
    abort: Abort = Abort()
    analysis: Analysis | None = None
    business: tuple[Business, ...] = Field(default=(), max_length=BUSINESS_MAX)
    shadow: ShadowPlan | None = None
    """A phase before the first step, in which the candidate repeats calls of the stable version and gets none of its
    own; the whole of a release whose strategy is "shadow"."""
    rolling: Rolling | None = None
    """How instances are replaced, where that is the strategy."""
    hold: Duration = 60.0
    """How long a blue-green candidate has all calls before it becomes the service; and how long those steps of a
    rolling release last that are not named."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_several(cls, given: Any) -> Any:
        """Of several services the first is service and candidate."""
        services = given.get("services") if isinstance(given, dict) else None
        if not isinstance(services, list | tuple) or not services or not isinstance(services[0], dict):
            return given
        alone = {name: given[name] for name in ("service", "candidate") if name in given}
        # What was written down has both.
        if alone and alone != services[0]:
            raise ValueError("services: give either service and candidate, or [[services]] with one of each")
        return given | services[0]

    @model_validator(mode="after")
    def _together(self) -> Self:
        names = [each.service for each in self.released]
        if len(set(names)) != len(names):
            raise ValueError("services: each service has one candidate: name it once")
        if self.several and (self.strategy == "shadow" or self.shadow is not None):
            raise ValueError("services: a shadow repeats the calls of one service: take [shadow] out, or release one")
        return self

    @model_validator(mode="after")
    def _fits_strategy(self) -> Self:
        if wrong := wrong_with(self.strategy, self.steps) or self._wrong_with_rolling():
            raise ValueError(wrong)
        return self

    def _wrong_with_rolling(self) -> str:
        if not self.rolls:
            return "" if self.rolling is None else 'rolling: belongs to strategy = "rolling": take it out'
        if self.several:
            return "services: rolling replaces the instances of one service: name one, or release them as a canary"
        if any(pin.to == "stable" for pin in self.pins):
            return "pins: in the end no stable instance is there to pin to: take those to stable out"
        return ""

    @model_validator(mode="after")
    def _tests(self) -> Self:
        names = [rule.name for rule in self.business]
        if self.business and self.analysis is None:
            raise ValueError("business: these rules are tested with the analysis: add [analysis]")
        if len(set(names) | {"errors", "latency"}) != len(names) + 2:
            raise ValueError("business: names must differ, also from errors and latency: give each a name")
        return self

    @property
    def released(self) -> tuple[Released, ...]:
        """Its services, one or several."""
        return self.services or (Released(service=self.service, candidate=self.candidate),)

    @property
    def several(self) -> bool:
        """Whether it releases more than one service."""
        return len(self.released) > 1

    @property
    def rolls(self) -> bool:
        """Whether instances are replaced one after the other; then each has a candidate, and the plan says when."""
        return self.strategy == "rolling"

    @property
    def instances(self) -> int:
        """How many candidate instances it asks for, of all services."""
        return sum(each.candidate.instances for each in self.released)

    @property
    def told(self) -> str:
        """Services and versions in words, "pricing 2.0 and marketdata 3.1"."""
        return " and ".join(f"{each.service} {each.candidate.version}" for each in self.released)

    def of(self, released: Released) -> Specification:
        """The part of one service, as if that was released alone. The chance that a good candidate is failed is shared
        between the services, so that it is `alpha` for all of them together."""
        names = [each.service for each in self.released]
        rules = tuple(r for r in self.business if business_rules.owner_of(r, names) == released.service)
        analysis = self.analysis
        if analysis is not None:
            analysis = analysis.model_copy(update={"alpha": analysis.alpha / len(names)})
        more = {"services": (), "business": rules, "analysis": analysis}
        return self.model_copy(update={"service": released.service, "candidate": released.candidate, **more})

    @property
    def mirror(self) -> ShadowPlan | None:
        """How calls are repeated; None if they are not."""
        return ShadowPlan() if self.shadow is None and self.strategy == "shadow" else self.shadow

    def shadows(self, step: int) -> bool:
        """Whether at a step of the plan the candidate repeats calls and gets none of its own."""
        return step == 0 and self.mirror is not None

    @property
    def plan(self) -> tuple[Step, ...]:
        """The steps as they are taken; after the last one the candidate becomes the service, unless it was a shadow."""
        shadow = self.mirror
        moves = self._moves()
        instances = moves[0].instances if moves else 0
        first = () if shadow is None else (Step(instances=instances, duration=shadow.duration),)
        return (*first, *moves)

    def _moves(self) -> tuple[Step, ...]:
        """The steps at which the candidate gets calls."""
        if self.strategy == "blue_green":
            ready = Step(weight_percent=0, duration=0.001, gate="manual")
            return ready, Step(weight_percent=100, duration=self.hold)
        if self.strategy == "ab":
            # What an experiment says is for a person to judge.
            return (self.steps[0].model_copy(update={"gate": "manual"}),)
        return self._replacements() if self.rolls else self.steps

    def _replacements(self) -> tuple[Step, ...]:
        """The steps of a rolling release: those that are named, and one of each batch between them."""
        of, named, steps = self.instances, {step.instances: step for step in self.steps}, list[Step]()
        for new in stops(of, self.replacing.max_surge, list(named)):
            alone = Step(instances=new, duration=self.hold)
            steps.append(named.get(new, alone).model_copy(update={"weight_percent": 100 * new / of}))
        return tuple(steps)

    @property
    def replacing(self) -> Rolling:
        """How instances are replaced."""
        return self.rolling or Rolling()

    def split(self, release: str, weight: int) -> Split:
        """What the compiler is told at a weight."""
        pins = tuple(each.pin() for each in self.pins)
        among = tuple(each.service for each in self.services) if self.several else ()
        header = DESK_HEADER if self.sticky.desk else self.sticky.header
        return Split(release, weight, header, pins, marked=self.several, among=among)

    def only_marked(self, release: str) -> Split | None:
        """What the compiler is told before the first step, and while the release is taken back: calls that a candidate
        has sent on reach the candidates behind it, for as long as there are some. None for one service."""
        return Split(release, 0, marked=True, only_marked=True) if self.several else None


Calls = Mapping[str, Collection[str]]
"""Whom the services of the mesh may call, by service."""


Counts = Mapping[str, int]
"""How many instances the services of the mesh have, by service."""


def read(
    document: Mapping[str, Any],
    services: Collection[str],
    sticky_services: Collection[str],
    calls: Calls | None = None,
    instances: Counts | None = None,
) -> Specification:
    """The specification in a document.

    Args:
        services: the services of the mesh.
        sticky_services: those whose contract has a sticky field in some method.
        calls: whom they call; None if that is not known.
        instances: how many instances they have; None if each has one.

    Raises:
        SpecificationError: it cannot be used; every problem is in the error.
    """
    try:
        specification = Specification.model_validate(dict(document))
    except ValidationError as error:
        raise SpecificationError(problems_of_fields(error)) from None
    # Not asked of what was written down: a release must be readable by every control plane that comes later.
    problems = unstartable(specification.released, several=bool(specification.services))
    problems += too_small(specification.steps)
    problems += of_the_mesh(specification.sticky, specification.pins)
    problems += _problems_of_services(specification, services, calls or {})
    released = [each.service for each in specification.released]
    if not problems and not set(released) & set(sticky_services):
        problems += [
            (f"pins[{i}].account", f"the contract of {released[0]} names no sticky field: pin by header instead")
            for i, pin in enumerate(specification.pins)
            if pin.account
        ]
    if not problems:
        problems += business_rules.problems(released, specification.business, sticky_services)
    problems += unfillable(released, contracts()) if (a := specification.analysis) and a.fill_calls_per_s else []
    if specification.shadow is not None:
        problems += problems_of(specification.shadow.methods, specification.service, contracts())
    if not problems and specification.rolls:
        of = (instances or {}).get(specification.service, 1)
        problems += _problems_of_rolling(specification, of)
        candidate = specification.candidate.model_copy(update={"instances": of})
        listed = tuple(each.model_copy(update={"candidate": candidate}) for each in specification.services)
        specification = specification.model_copy(update={"candidate": candidate, "services": listed})
    if problems:
        raise SpecificationError(problems)
    return specification


def _problems_of_rolling(specification: Specification, of: int) -> list[tuple[str, str]]:
    """What is wrong with replacing so many instances."""
    problems, service = [], specification.service
    if "instances" in specification.candidate.model_fields_set:
        why = f"rolling replaces each of the {of} instances of {service}: take it out"
        problems.append(("candidate.instances", why))
    if of > INSTANCES_MAX:
        why = f"{service} has {of} instances, and rolling replaces {INSTANCES_MAX} at most: release it as a canary"
        problems.append(("service", why))
    problems += [
        (f"steps[{place}].instances", f"{service} has {of}: give at most so many")
        for place, step in enumerate(specification.steps)
        if step.instances > of
    ]
    return problems


def _problems_of_services(
    specification: Specification, services: Collection[str], calls: Calls
) -> list[tuple[str, str]]:
    """What is wrong with the services that are named, and with their order."""
    problems, known = [], sorted(set(services) - {CONTROL})
    released = [each.service for each in specification.released]
    for place, service in enumerate(released):
        field = f"services[{place}].service" if specification.services else "service"
        if service not in known:
            problems.append((field, f"must be a service that can be released: one of {', '.join(known)}"))
            continue
        for before in released[:place]:
            if before in calls.get(service, ()) and service not in calls.get(before, ()):
                problems.append((field, f"{service} calls {before}: put callers before whom they call"))
    return problems


def load(
    folder: Path,
    name: str,
    services: Collection[str],
    sticky_services: Collection[str],
    calls: Calls | None = None,
    instances: Counts | None = None,
) -> Specification:
    """The specification `<folder>/<name>.toml`.

    Raises:
        SpecificationError: there is none, or it cannot be used.
    """
    if not NAME.match(name):
        raise SpecificationError([("name", "must be lower-case letters, digits, dots and dashes, without .toml")])
    path = folder / f"{name}.toml"
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise SpecificationError([("name", f"{path.name} is larger than {FILE_BYTES_MAX} bytes: shorten it")])
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml"))) or "none"
        raise SpecificationError(
            [("name", f"there is no {path.name} in the mesh's releases; there are: {known}")]
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecificationError([("name", f"{path.name} cannot be read: {error}")]) from None
    specification = read(document, services, sticky_services, calls, instances)
    services = tuple(
        each.model_copy(update={"candidate": _with_folder(each.candidate, folder, f"services[{place}].candidate")})
        for place, each in enumerate(specification.services)
    )
    first = services[0].candidate if services else _with_folder(specification.candidate, folder, "candidate")
    return specification.model_copy(update={"candidate": first, "services": services})


def _with_folder(candidate: Candidate, folder: Path, field: str) -> Candidate:
    """The same with an absolute folder."""
    if not candidate.folder:
        return candidate
    where = (folder / candidate.folder).resolve()
    if not where.is_dir():
        raise SpecificationError([(f"{field}.folder", f"{where} is no folder: check the candidate out there")])
    return candidate.model_copy(update={"folder": str(where)})
