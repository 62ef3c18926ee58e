"""NATS with JetStream for one mesh: its configuration, who may touch which subject, and the streams.

No service may create a consumer, a stream or a bucket: a consumer delivers to any subject that its creator names, and
would be a way around the allow-list. Services read streams by position with direct gets (`crossrate.events`), which
needs one subject a stream and leaves nothing behind in the server.

What this does not hold: all services share one NATS account, and within an account NATS checks no permission on the
subject that a request names for its answer. A service that has been broken into can have a stored message (a dead
letter of its own, say) delivered to another service's subject. The owner's relay reports it as foreign and loses
nothing; a consumer would believe it. One account a service closes this: requests to JetStream then cross by service
imports, whose answers stay in the account of whoever asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nats
import nats.errors
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from crossrate.node import credentials
from crossrate.node.command import Command
from crossrate.runtime.durable import write_private
from crossrate.runtime.place import Place
from crossrate.runtime.topology import DENIALS, Stream, Topology, bucket_of, denials_subject

READY_S_MAX = 30.0
STORE_MIB_MAX = 4096
PAYLOAD_BYTES_MAX = 1_048_576
CONNECTIONS_MAX = 512
MIB = 1_048_576

DEAD_LETTERS = "dead_letters"
DEAD_LETTERS_MIB_MAX = 64
CONFIG_BUCKET = "config"
BUCKETS = {CONFIG_BUCKET: 64, "control": 64}
"""Key-value buckets and how many versions of a key each keeps."""
BUCKET_MIB_MAX = 32
DUPLICATE_WINDOW_S = 600.0


REVOCATIONS = ("session_revoked", "grants_changed")
"""The facts of identity that every service follows."""


class NatsError(Exception):
    """NATS cannot be prepared or does not come up; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """The subjects that one identity may publish and subscribe to; everything else is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions(topology: Topology, service: str) -> Permissions:
    """What the topology lets a service do."""
    this = topology.services[service]
    owned = [name for name, stream in topology.streams.items() if stream.owner == service]
    readable = sorted({*owned, *this.consumes})
    publish = [*this.publishes]
    # What it reads: streams by position, and where they end.
    publish += [f"$JS.API.DIRECT.GET.{name}" for name in readable] + [_last(name, ">") for name in readable]
    publish += [f"$JS.API.STREAM.INFO.{name}" for name in readable]
    # Its own dead letters: to write, and to read one back by its subject.
    publish += [f"crossrate.{DEAD_LETTERS}.{service}.>", _last(DEAD_LETTERS, f"crossrate.{DEAD_LETTERS}.{service}.>")]
    subscribe = [f"{credentials.inbox_prefix(service)}.>", *this.publishes, f"crossrate.redrive.{service}.>"]
    # Versions in a bucket are read by position alone: nobody but control listens to all of them.
    consumed = [topology.streams[name] for name in this.consumes if bucket_of(name) is None]
    subscribe += [subject for stream in consumed for subject in stream.subjects]
    if topology.tokens is not None and topology.tokens.service in topology.streams:
        # Every service follows what is revoked.
        publish += [f"$JS.API.DIRECT.GET.{topology.tokens.service}"]
        subscribe += [f"crossrate.{topology.tokens.service}.v1.{fact}.*" for fact in REVOCATIONS]
    if DENIALS in topology.streams:
        publish += [denials_subject(service)]
    if service == "control":
        # The control plane writes configuration, keeps its own state, and has dead letters delivered again.
        for bucket in BUCKETS:
            publish += [f"$KV.{bucket}.>", f"$JS.API.DIRECT.GET.KV_{bucket}", f"$JS.API.STREAM.INFO.KV_{bucket}"]
            publish += [_last(f"KV_{bucket}", f"$KV.{bucket}.>")]
            subscribe += [f"$KV.{bucket}.>"]
        publish += ["crossrate.redrive.>", f"$JS.API.DIRECT.GET.{DEAD_LETTERS}", f"$JS.API.STREAM.INFO.{DEAD_LETTERS}"]
    else:
        own = f"$KV.{CONFIG_BUCKET}.{service}"
        publish += [_last(f"KV_{CONFIG_BUCKET}", own)]
        subscribe += [own]
    return Permissions(tuple(dict.fromkeys(publish)), tuple(dict.fromkeys(subscribe)))


def _last(stream: str, subject: str) -> str:
    """The request for the newest message of a subject, which is part of the request: it can be allowed alone."""
    return f"$JS.API.DIRECT.GET.{stream}.{subject}"


def render(
    topology: Topology, issued: dict[str, credentials.Credentials], port: int, store_folder: Path, store_mib_max: int
) -> str:
    """The server's configuration file."""
    users: list[dict[str, object]] = [{"nkey": issued[credentials.NODE].nats_public_key}]
    for service in topology.services:
        allowed = permissions(topology, service)
        users.append(
            {
                "nkey": issued[service].nats_public_key,
                "permissions": {
                    "publish": {"allow": list(allowed.publish)},
                    "subscribe": {"allow": list(allowed.subscribe)},
                    # One answer to a request that it was sent, within five seconds.
                    "allow_responses": {"max": 1, "expires": "5s"},
                },
            }
        )
    for name, publisher in topology.publishers.items():
        allowed_there = {"publish": {"allow": list(publisher.publishes)}, "subscribe": {"deny": [">"]}}
        users.append({"nkey": issued[name].nats_public_key, "permissions": allowed_there})
    document = {
        "server_name": "crossrate",
        "host": "127.0.0.1",
        "port": port,
        "max_payload": PAYLOAD_BYTES_MAX,
        "max_connections": CONNECTIONS_MAX,
        "max_pending": 64 * MIB,
        "write_deadline": "5s",
        "ping_interval": "20s",
        "ping_max": 3,
        "jetstream": {
            "store_dir": str(store_folder),
            "max_memory_store": sum(s.max_mib for s in topology.streams.values() if s.latest_only) * MIB,
            "max_file_store": store_mib_max * MIB,
            # An acknowledged message is on disk. The default acknowledges up to two minutes before that.
            "sync_interval": "always",
        },
        "authorization": {"timeout": 5, "users": users},
    }
    # NATS reads JSON; a file of our own makes no use of its includes and variables.
    return json.dumps(document, indent=1) + "\n"


def binary() -> Path:
    """The server of the installed package.

    Raises:
        NatsError: it is not installed.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise NatsError("nats-server is not installed: run ./scripts/run, or `uv sync`")
    return Path(found)


class NatsServer:
    """The message server of one mesh, on a loopback port."""

    def __init__(self, place: Place, port: int, *, store_mib_max: int = STORE_MIB_MAX) -> None:
        if not 1024 <= port < 32768:
            raise NatsError(f"port {port}: listen between 1024 and 32767, below the ports of outgoing connections")
        self._place = place
        self._port = port
        self._store_mib_max = store_mib_max
        self._folder = place.state / "nats"

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"nats://127.0.0.1:{self._port}"

    def prepare(self, topology: Topology) -> Command:
        """Writes the configuration; `credentials.issue` must have run.

        Raises:
            NatsError: no server is installed, or the streams may take more than the store has.
        """
        kept = [s for s in topology.streams.values() if not s.latest_only]
        wanted_mib = sum(s.max_mib for s in kept) + DEAD_LETTERS_MIB_MAX + BUCKET_MIB_MAX * 2
        if wanted_mib > self._store_mib_max:
            raise NatsError(
                f"the streams may take {wanted_mib} MiB, the store has {self._store_mib_max}: "
                "lower max_mib in mesh/topology.toml"
            )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = (*topology.services, *topology.publishers, credentials.NODE)
        issued = {name: self._credentials(name) for name in names}
        path = self._folder / "nats.conf"
        text = render(topology, issued, self._port, self._folder / "store", self._store_mib_max)
        write_private(path, text)
        return Command(
            argv=(str(binary()), "--config", str(path)),
            cwd=self._folder,
            # The server's share of a small machine; its heap is a few MiB, so collecting at 64 costs nothing.
            env={"GOMAXPROCS": "2", "GOMEMLIMIT": "64MiB"},
        )

    async def ready(self, timeout_s: float = READY_S_MAX) -> None:
        """Returns when the server answers and JetStream has recovered its streams.

        Raises:
            NatsError: it did not within `timeout_s`; the message has its last answer.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                async with self._connect() as client:
                    await client.jetstream(timeout=2).account_info()
                    return
            except (OSError, nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise NatsError(f"NATS did not answer within {timeout_s:g} s: {error!r}") from error
                await asyncio.sleep(0.02)

    async def provision(self, topology: Topology) -> None:
        """Makes streams and buckets, or brings those that are there up to the topology. Never deletes one.

        A server that dies meanwhile is waited for: this also runs when it has been started again after a crash.
        """
        deadline = time.monotonic() + READY_S_MAX
        while True:
            try:
                async with self._connect() as client:
                    stream_api = client.jetstream(timeout=10)
                    for config in stream_configs(topology):
                        await _make_stream(stream_api, config)
                    return
            except nats.js.errors.APIError:
                raise
            except (OSError, nats.errors.Error, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                await self.ready()

    def _credentials(self, service: str) -> credentials.Credentials:
        found = credentials.read(self._place, service)
        if found is None:
            raise NatsError(f"there are no credentials for {service!r}: issue them first")
        return found

    @contextlib.asynccontextmanager
    async def _connect(self):
        node = self._credentials(credentials.NODE)

        async def quiet(_: Exception) -> None:
            """The attempt's own exception says it."""

        client = await nats.connect(
            self.url,
            name=credentials.NODE,
            nkeys_seed_str=node.nats_seed,
            inbox_prefix=node.inbox_prefix,
            allow_reconnect=False,
            # Without these the client tries the one server sixty times, two seconds apart, before it says no.
            max_reconnect_attempts=0,
            reconnect_time_wait=0,
            connect_timeout=2,
            error_cb=quiet,
        )
        try:
            yield client
        finally:
            await client.close()


def stream_configs(topology: Topology) -> list[StreamConfig]:
    """Every stream and bucket of the mesh.

    A full one refuses (`discard new`) instead of forgetting silently, unless the topology says that it may.
    """
    common = {
        "retention": RetentionPolicy.LIMITS,
        "storage": StorageType.FILE,
        "discard": DiscardPolicy.NEW,
        "num_replicas": 1,
        "allow_direct": True,
        "deny_delete": True,
        "max_msg_size": PAYLOAD_BYTES_MAX,
    }
    made = [
        StreamConfig(
            name=name,
            subjects=list(stream.subjects),
            max_age=stream.max_age_s,
            max_bytes=stream.max_mib * MIB,
            duplicate_window=min(DUPLICATE_WINDOW_S, stream.max_age_s),
            deny_purge=True,
            **(common | _kind(stream)),
        )
        for name, stream in topology.streams.items()
    ]
    made.append(
        StreamConfig(
            name=DEAD_LETTERS,
            subjects=[f"crossrate.{DEAD_LETTERS}.>"],
            max_bytes=DEAD_LETTERS_MIB_MAX * MIB,
            # A letter has a subject of its own; the mark that it was delivered again takes its place.
            max_msgs_per_subject=1,
            duplicate_window=DUPLICATE_WINDOW_S,
            deny_purge=True,
            **common,
        )
    )
    for bucket, history in BUCKETS.items():
        made.append(
            StreamConfig(
                name=f"KV_{bucket}",
                subjects=[f"$KV.{bucket}.>"],
                max_msgs_per_subject=history,
                max_bytes=BUCKET_MIB_MAX * MIB,
                allow_rollup_hdrs=True,
                duplicate_window=120,
                **common,
            )
        )
    return made


def _kind(stream: Stream) -> dict[str, object]:
    """How a stream differs from one that refuses when it is full."""
    if stream.latest_only:
        # Nothing is fsynced and no message is looked up by its id: it costs little more than passing messages on.
        return {"storage": StorageType.MEMORY, "max_msgs_per_subject": 1, "discard": DiscardPolicy.OLD}
    return {"discard": DiscardPolicy.OLD} if stream.forget_oldest else {}


async def _make_stream(stream_api: JetStreamContext, wanted: StreamConfig) -> None:
    try:
        existing = (await stream_api.stream_info(wanted.name)).config
    except nats.js.errors.NotFoundError:
        await stream_api.add_stream(wanted)
        return
    settings = {name: value for name, value in vars(wanted).items() if value not in (None, -1)}
    if any(getattr(existing, name) != value for name, value in settings.items()):
        await stream_api.update_stream(wanted)
