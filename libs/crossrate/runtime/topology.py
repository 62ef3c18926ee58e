"""The mesh's topology: `mesh/topology.toml`, checked."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

REPOSITORY = Path(__file__).resolve().parents[3]
DEFAULT_PATH = REPOSITORY / "mesh" / "topology.toml"
CONTROL = "control"

Word = str
"""A service's one word: lower-case letters."""


BUCKETS = ("config", "control")
"""Key-value buckets of the mesh: live configuration, and the routes that control has applied."""
_BUCKET_PREFIX = "KV_"


def bucket_of(stream: str) -> str | None:
    """The bucket whose stream of versions has this name ("KV_config"), or None. A service may consume it as any
    stream."""
    bucket = stream.removeprefix(_BUCKET_PREFIX)
    return bucket if stream.startswith(_BUCKET_PREFIX) and bucket in BUCKETS else None


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Edge(_Frozen):
    """The one door: an Envoy that speaks gRPC, REST and gRPC-Web on one TLS port.

    Args:
        connections_max: open at once.
        connections_per_s: new ones a second, with a burst of twice as many: a handshake costs as much as ten calls.
        streams_per_connection_max: calls under way on one connection.
    """

    address: str = "127.0.0.1"
    port: int = Field(default=8443, ge=1, le=32767)
    anonymous_roles: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    connections_max: int = Field(default=10_000, ge=1)
    connections_per_s: int = Field(default=1_000, ge=1)
    streams_per_connection_max: int = Field(default=100, ge=1)


IDENTITY = "identity"
"""The service that issues access tokens."""


class AccessTokens(_Frozen):
    """Whose access tokens the edge and the services believe.

    Args:
        service: who issues them and serves `jwks_path`.
        issuer: `iss` of every token; empty for the edge's own address, https://localhost:<port>.
        token_lifetime_s: the longest that an access token lives; what lives longer is refused.
        step_up_max_age_s: how old the proof of a second factor may be where a method asks for one.
        jwks_refresh_s: how often the edge asks for the keys. A key is published at least so long before it signs.
    """

    service: Word = IDENTITY
    issuer: str = ""
    audience: str = Field(default="crossrate", min_length=1)
    jwks_path: str = Field(default="/oauth2/jwks.json", pattern=r"^/[A-Za-z0-9._/-]+$")
    token_lifetime_s: int = Field(default=300, ge=10, le=300)
    step_up_max_age_s: int = Field(default=600, ge=10, le=3600)
    jwks_refresh_s: int = Field(default=60, ge=1, le=3600)


class Certificates(_Frozen):
    """Lifetimes in seconds."""

    workload_lifetime_s: int = Field(default=3600, ge=60, le=3600)
    client_lifetime_s: int = Field(default=604_800, ge=60, le=2_592_000)
    root_lifetime_s: int = Field(default=31_536_000, ge=3600)


Program = tuple[str, ...]
"""A command line. Its first word is a program on the PATH or, with a "/" in it, a file of the checkout."""


class Variant(_Frozen):
    """Another version of a service, with instances of its own beside those of the service: the backend
    "<service>-<variant>". It has the service's identity, rights and schema, and gets calls only from a route that gives
    it a weight.
    """

    command: Program = Field(min_length=1)
    instances: int = Field(default=1, ge=1, le=64)


class Service(_Frozen):
    """One service: which others it calls, what it publishes, which streams it reads, whether it has a schema.

    `http` names the paths of the edge that it answers itself, over HTTP on a socket beside that of its gRPC: a path, or
    everything below one that ends in "/". `command` starts an instance; empty for `services.<service>.main`.

    An instance serves `concurrency_max` calls at once. With `waiting_max` the edge gives it half as many, so that calls
    of other services find room, and lets so many more of its clients' calls wait there for their turn, first come first
    served. What comes on top of that is refused.
    """

    command: Program = ()
    variants: dict[Word, Variant] = {}

    calls: tuple[Word, ...] = ()
    publishes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    database: bool = False
    http: tuple[str, ...] = ()
    instances: int = Field(default=1, ge=1, le=64)
    concurrency_max: int = Field(default=256, ge=1)
    waiting_max: int = Field(default=0, ge=0, le=100_000)


TAKEN_PATHS = ("/v1/", "/crossrate.", "/grpc.", "/openapi.json")
"""What the edge answers by the contracts: no service has such a path for itself."""


FORGETFUL_MIB_MAX = 32
"""Largest stream that forgets its oldest message for each new one. NATS keeps streams in blocks of a quarter of their
size and at most 8 MiB; in a larger one it reads a block for every message that it forgets: measured with entries of
20 kB, 0.25 ms of its processor time an append up to here, 3 to 5 ms with 64 MiB and more."""


DENIALS = "denials"
"""The stream in which every service tells what it refused, each under a subject that no other may publish to."""


def denials_subject(service: str) -> str:
    """Where a service tells what it refused."""
    return f"crossrate.{DENIALS}.v1.{service}"


class Stream(_Frozen):
    """One JetStream stream; only its owner publishes to it, but for DENIALS.

    A full stream refuses, unless it may `forget_oldest`: for what is not a fact to keep but a window on the present.
    With `latest_only` it keeps the newest message of each subject, in memory: for values that whoever begins to listen
    wants at once, and that their owner publishes again after NATS was restarted.
    """

    owner: Word
    subjects: tuple[str, ...]
    max_age_s: int = Field(default=604_800, ge=1)
    max_mib: int = Field(default=256, ge=1)
    forget_oldest: bool = False
    latest_only: bool = False


class Publisher(_Frozen):
    """A program outside of the mesh that may publish on NATS: what a service has said that it listens to."""

    publishes: tuple[str, ...] = Field(min_length=1)


ROLES = frozenset({"viewer", "trader", "quant", "risk_officer", "operator", "auditor", "admin"})
"""The words of `crossrate.api.policy.v1.Role`; a test holds them equal."""


class Client(_Frozen):
    """A program or a person outside of the mesh that proves itself to the edge by a certificate.

    `accounts` names the accounts that it may use: a name, a beginning with "*" behind it, or "*" for all. Control
    issues the certificate as `<state>/clients/<name>/client.pem`: whoever can read the file is the client. With
    `step_up` holding the key counts as a second factor.
    """

    roles: tuple[str, ...] = Field(min_length=1)
    accounts: tuple[str, ...] = ()
    step_up: bool = False
    rate_class: str = "high"


class RateClass(_Frozen):
    """How much of its methods' costs a client may spend: so much a second, and so much at once after a pause."""

    per_s: int = Field(ge=1, le=1_000_000)
    burst: int = Field(ge=100, le=10_000_000)


RATE_CLASSES = {
    "low": RateClass(per_s=100, burst=400),
    "standard": RateClass(per_s=2_000, burst=4_000),
    "high": RateClass(per_s=50_000, burst=100_000),
}
"""By the words of tokens and of clients. The largest cost of a method is 100, so that no burst is smaller."""


class Topology(_Frozen):
    """The whole mesh."""

    trust_domain: str = Field(default="crossrate", pattern=r"^[a-z0-9.-]+$")
    layout: Literal["node", "sidecar"] = "node"
    edge: Edge = Edge()
    certificates: Certificates = Certificates()
    services: dict[Word, Service]
    streams: dict[str, Stream] = {}
    publishers: dict[str, Publisher] = {}
    clients: dict[str, Client] = {}
    tokens: AccessTokens | None = None
    rate_classes: dict[str, RateClass] = RATE_CLASSES

    @model_validator(mode="before")
    @classmethod
    def _who_issues_tokens(cls, given: Any) -> Any:
        """A mesh with the identity service believes its tokens, also where nothing is said about them."""
        if isinstance(given, dict) and "tokens" not in given and IDENTITY in given.get("services", {}):
            return {**given, "tokens": {}}
        return given

    @model_validator(mode="after")
    def _names_exist(self) -> Topology:
        problems = []
        for name, service in self.services.items():
            if not name.isalpha() or not name.islower():
                problems.append(f"services.{name}: a service's name is one word in lower-case letters")
            if name == DENIALS:
                problems.append(f"services.{name}: the word is taken by what all services refuse")
            problems += [
                f"services.{name}.calls: there is no service {c!r}" for c in service.calls if c not in self.services
            ]
            problems += [
                f"services.{name}.consumes: there is no stream {s!r}"
                for s in service.consumes
                if s not in self.streams and bucket_of(s) is None
            ]
            problems += [
                f"services.{name}.publishes: {s!r} is not below crossrate.{name}.v1"
                for s in service.publishes
                if not s.startswith(f"crossrate.{name}.v1.")
            ]
        problems += [
            f"streams.{name}.owner: there is no service {s.owner!r}"
            for name, s in self.streams.items()
            if s.owner not in self.services
        ]
        problems += [
            f"streams.{name}.max_mib: a stream that forgets its oldest has at most {FORGETFUL_MIB_MAX}, not {s.max_mib}"
            for name, s in self.streams.items()
            if s.forget_oldest and s.max_mib > FORGETFUL_MIB_MAX
        ]
        if self.tokens is not None and self.tokens.service not in self.services:
            problems.append(f"tokens.service: there is no service {self.tokens.service!r}")
        problems += self._programs_are_there()
        problems += self._publishers_stay_outside()
        problems += self._clients_are_known()
        problems += self._paths_have_one_owner()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _programs_are_there(self) -> Iterator[str]:
        for name, service in self.services.items():
            commands = {f"services.{name}.command": service.command}
            for variant, each in service.variants.items():
                path = f"services.{name}.variants.{variant}"
                commands[f"{path}.command"] = each.command
                if not re.fullmatch(r"[a-z]{1,16}", variant):
                    yield f"{path}: a variant's name is one word of up to 16 lower-case letters"
                if service.http:
                    yield f"{path}: {name} answers paths of its own (http), which a variant does not"
            if name == CONTROL and any(commands.values()):
                yield f"services.{name}: control is the program of this checkout; it has no command and no variants"
            for path, command in commands.items():
                if command and (why := _missing(command[0])):
                    yield f"{path}: {why}"

    def backends(self) -> dict[str, Service | Variant]:
        """The groups of instances that a route can give a weight: each service by its word, each variant as
        "<service>-<variant>"."""
        found: dict[str, Service | Variant] = {}
        for name, service in self.services.items():
            found[name] = service
            found |= {f"{name}-{variant}": each for variant, each in service.variants.items()}
        return found

    def _publishers_stay_outside(self) -> Iterator[str]:
        for name, publisher in self.publishers.items():
            if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name) or name in self.services:
                yield f"publishers.{name}: a publisher's name is of a-z, 0-9 and -, and no service's"
            for subject in publisher.publishes:
                found = re.match(r"crossrate\.([a-z]+)\.v1\.[a-z_]+_in\.[^.]", subject)
                if not found or found[1] not in self.services:
                    yield f"publishers.{name}.publishes: {subject!r} is not below crossrate.<service>.v1.<noun>_in"

    def _clients_are_known(self) -> Iterator[str]:
        for name, client in self.clients.items():
            if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name):
                yield f"clients.{name}: a client's name is of a-z, 0-9 and -"
            if client.rate_class not in self.rate_classes:
                yield f"clients.{name}.rate_class: there is no {client.rate_class!r} in rate_classes"
            for role in sorted(set(client.roles) - ROLES):
                yield f"clients.{name}.roles: there is no role {role!r}; there are {', '.join(sorted(ROLES))}"
            for account in client.accounts:
                if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}\*?|\*", account):
                    yield f"clients.{name}.accounts: {account!r} is no account, beginning with *, or *"

    def issuer(self, edge_port: int | None = None) -> str:
        """`iss` of the access tokens of this mesh, whose edge has the topology's port or another; empty without any."""
        if self.tokens is None:
            return ""
        return self.tokens.issuer or f"https://localhost:{edge_port or self.edge.port}"

    def _paths_have_one_owner(self) -> Iterator[str]:
        seen: list[tuple[str, str]] = [("the contracts", path) for path in TAKEN_PATHS]
        for name, service in self.services.items():
            for path in service.http:
                if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+/?", path) or {".", ".."} & set(path.split("/")):
                    yield f"services.{name}.http: {path!r} is no path of letters, digits, '.', '_' and '-'"
                for owner, other in seen:
                    own = owner == name and path != other and path.rstrip("/") == other.rstrip("/")
                    if _overlap(path, other) and not own:
                        yield f"services.{name}.http: {path!r} is answered by {owner} already ({other!r})"
                seen.append((name, path))

    def client_identity(self, client: str) -> str:
        """The SPIFFE id of a client of the edge."""
        return f"spiffe://{self.trust_domain}/client/{client}"

    def identity(self, service: Word) -> str:
        """The SPIFFE id of a service, or of "edge"."""
        return f"spiffe://{self.trust_domain}/{service}"


def _missing(program: str) -> str:
    """Why a program cannot be started; empty if it can."""
    if "/" not in program:
        return "" if shutil.which(program) else f"there is no program {program!r} on the PATH: install it"
    path = REPOSITORY / program
    if not path.is_file():
        return f"there is no file {path}: name a program of the checkout, or one on the PATH"
    return "" if os.access(path, os.X_OK) else f"{path} may not be executed: chmod +x it"


def _overlap(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    below = longer.startswith(shorter) and (shorter.endswith(("/", ".")) or shorter == longer)
    return below or one.rstrip("/") == other.rstrip("/")


def load(path: Path = DEFAULT_PATH) -> Topology:
    """Reads and checks a topology.

    Raises:
        ValueError: the file is not a topology; the message names every field that is wrong.
    """
    return Topology.model_validate(tomllib.loads(path.read_text()))
