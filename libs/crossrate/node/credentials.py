"""What each service proves itself with to NATS and PostgreSQL: made once, kept, rewritten only where an address moved.

One JSON file a service or publisher, mode 0600, in the state folder:

    {"nats": {"url", "seed", "inbox_prefix"}, "postgres": {"dsn"} or null}

`node` is the identity of the node itself: it creates streams, roles and schemas, and no service reads its file.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

import nkeys

from crossrate.runtime.durable import write_private
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

NODE = "node"
"""The node's own identity; no service may have this name."""

DATABASE = "crossrate"
"""The one database of the mesh; each service has a schema in it."""

ADMINISTRATOR = "postgres"
"""PostgreSQL's superuser, whose password the node holds."""

_PASSWORD_BYTES = 24
_SEED_BYTES = 32


class CredentialsError(Exception):
    """A credentials file cannot be read or is not what it should be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """One identity's file, read."""

    service: str
    nats_url: str
    nats_seed: str
    inbox_prefix: str
    postgres_dsn: str | None

    @property
    def nats_public_key(self) -> str:
        """The NKEY that the server knows this identity by."""
        return nkeys.from_seed(self.nats_seed.encode()).public_key.decode()

    @property
    def password(self) -> str:
        """The database password; empty without a database."""
        return unquote(urlsplit(self.postgres_dsn).password or "") if self.postgres_dsn else ""


def inbox_prefix(service: str) -> str:
    """The subjects on which answers to a service arrive; nobody else may listen there."""
    return f"_INBOX_{service}"


def postgres_dsn(role: str, password: str, socket_folder: Path, database: str = DATABASE) -> str:
    """The address of a database behind a Unix socket."""
    return f"postgresql://{quote(role)}:{quote(password)}@/{database}?{urlencode({'host': str(socket_folder)})}"


def read(place: Place, service: str) -> Credentials | None:
    """A service's credentials, or None if it has none yet.

    Raises:
        CredentialsError: the file is there but is not a credentials file.
    """
    path = place.credentials(service)
    try:
        document = json.loads(path.read_text())
        nats, postgres = document["nats"], document["postgres"]
        return Credentials(
            service, nats["url"], nats["seed"], nats["inbox_prefix"], postgres["dsn"] if postgres else None
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CredentialsError(
            f"{path} is not a credentials file ({error!r}): put it back from a backup, or remove the state folder "
            "to begin a new mesh"
        ) from error


def issue(place: Place, topology: Topology, nats_url: str, socket_folder: Path) -> dict[str, Credentials]:
    """Makes or refreshes the credentials of every service, of every publisher and of the node, by name.

    Keys and passwords are made once and stay; the two addresses are the ones given. A file changes in one rename, so
    a crash leaves the old or the new one.

    Raises:
        CredentialsError: a file is damaged, or a service or publisher is called like the node.
    """
    if NODE in topology.services or NODE in topology.publishers:
        raise CredentialsError(f"no service or publisher may be called {NODE!r}")
    place.make()
    databases = {name: service.database for name, service in topology.services.items()} | {NODE: True}
    databases |= dict.fromkeys(topology.publishers, False)
    issued = {}
    for name, has_database in databases.items():
        known = read(place, name)
        seed = known.nats_seed if known else _new_seed()
        dsn = None
        if has_database:
            password = (known.password if known else "") or secrets.token_urlsafe(_PASSWORD_BYTES)
            role = ADMINISTRATOR if name == NODE else name
            dsn = postgres_dsn(role, password, socket_folder)
        fresh = Credentials(name, nats_url, seed, inbox_prefix(name), dsn)
        if fresh != known:
            _write(place.credentials(name), fresh)
        issued[name] = fresh
    return issued


def _new_seed() -> str:
    return nkeys.encode_seed(secrets.token_bytes(_SEED_BYTES), nkeys.PREFIX_BYTE_USER).decode()


def _write(path: Path, credentials: Credentials) -> None:
    document: Mapping[str, object] = {
        "nats": {
            "url": credentials.nats_url,
            "seed": credentials.nats_seed,
            "inbox_prefix": credentials.inbox_prefix,
        },
        "postgres": {"dsn": credentials.postgres_dsn} if credentials.postgres_dsn else None,
    }
    write_private(path, json.dumps(document, indent=1) + "\n")
