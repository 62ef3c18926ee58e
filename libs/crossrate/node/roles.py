"""Who may touch what in PostgreSQL: one role and one schema a service, and nothing for anybody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

import asyncpg

CONNECTIONS_PER_SERVICE_MAX = 20
_SCRAM_ITERATIONS = 4096
_ATTRIBUTES = (
    "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS "
    f"CONNECTION LIMIT {CONNECTIONS_PER_SERVICE_MAX}"
)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5802): made here, so that no password is ever part of a statement."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    keys = ":".join(base64.b64encode(key).decode() for key in (stored, server))
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{base64.b64encode(salt).decode()}${keys}"


def _verifies(verifier: str | None, password: str) -> bool:
    if not verifier or not verifier.startswith("SCRAM-SHA-256$"):
        return False
    salt = base64.b64decode(verifier.split("$")[1].split(":")[1])
    return hmac.compare_digest(verifier, scram_verifier(password, salt))


async def make_database(administrator: asyncpg.Connection, database: str) -> None:
    """Makes the mesh's database, which nobody may enter without being let in by name."""
    if not await administrator.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
        await administrator.execute(f"CREATE DATABASE {_quoted(database)}")
    for name in (database, "postgres", "template1"):
        await administrator.execute(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")


async def make_service(inside: asyncpg.Connection, database: str, name: str, password: str) -> None:
    """One service's role, which may connect to the database and work in the schema of its own name, and that is all.

    The schema belongs to the administrator: the role fills it with tables but cannot drop it or let others in to it.
    """
    role = _quoted(name)
    async with inside.transaction():
        await inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        verifier = await inside.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", name)
        exists = await inside.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        await inside.execute(f"{'ALTER' if exists else 'CREATE'} ROLE {role} {_ATTRIBUTES}")
        if not _verifies(verifier, password):
            await inside.execute(f"ALTER ROLE {role} PASSWORD '{scram_verifier(password, os.urandom(16))}'")
        await inside.execute(f"CREATE SCHEMA IF NOT EXISTS {role}")
        await inside.execute(f"GRANT USAGE, CREATE ON SCHEMA {role} TO {role}")
        await inside.execute(f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {role}")
        await inside.execute(f"ALTER ROLE {role} IN DATABASE {_quoted(database)} SET search_path = {role}")
