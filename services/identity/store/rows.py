"""Rows as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.identity.domain.access import Access
from services.identity.domain.client import ApiKey, Authentication, Client
from services.identity.domain.device import Device
from services.identity.domain.person import Person, State
from services.identity.domain.session import Bearer, Session, Wanted

Row = Mapping[str, Any]

PERSON = "p.*, (SELECT count(*) FROM passkey k WHERE k.name = p.name)::int AS passkeys"


def access_of(row: Row) -> Access:
    """The three columns of what somebody may do."""
    return Access(frozenset(row["roles"]), frozenset(row["accounts"]), frozenset(row["instruments"]))


def columns_of(access: Access) -> tuple[list[str], list[str], list[str]]:
    """The reverse."""
    return sorted(access.roles), sorted(access.accounts), sorted(access.instruments)


def person_of(row: Row) -> Person:
    """A row of PERSON."""
    return Person(
        name=row["name"],
        desk=row["desk"],
        state=State(row["state"]),
        access=access_of(row),
        create_time=row["create_time"],
        update_time=row["update_time"],
        display_name=row["display_name"],
        email=row["email"],
        version=row["version"],
        access_until=row["access_until"],
        access_time=row["access_time"],
        password_hash=row["password_hash"],
        one_time=row["one_time"],
        failures=row["failures"],
        locked_until=row["locked_until"],
        last_login_time=row["last_login_time"],
        totp_sealed=row["totp_sealed"],
        totp_step=row["totp_step"],
        recovery=tuple(row["recovery"]),
        passkeys=row["passkeys"],
    )


def client_of(row: Row) -> Client:
    """A row of client."""
    return Client(
        name=row["name"],
        desk=row["desk"],
        authentication=Authentication(row["authentication"]),
        create_time=row["create_time"],
        display_name=row["display_name"],
        redirect_uris=tuple(row["redirect_uris"]),
        jwks=row["jwks"],
        tls_san_uri=row["tls_san_uri"],
        bound_tokens=row["bound_tokens"],
        rate_class=row["rate_class"],
        disabled=row["disabled"],
        access=access_of(row),
        access_until=row["access_until"],
        version=row["version"],
    )


def api_key_of(row: Row) -> ApiKey:
    """A row of api_key."""
    return ApiKey(
        key_id=row["key_id"],
        subject=row["subject"],
        secret_sha256=row["secret_sha256"],
        display_name=row["display_name"],
        limit=access_of(row) if row["limited"] else None,
        rate_class=row["rate_class"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        last_use_time=row["last_use_time"],
        revoked=row["revoke_time"] is not None,
    )


def session_of(row: Row) -> Session:
    """A row of session."""
    return Session(
        session_id=row["session_id"],
        subject=row["subject"],
        client_id=row["client_id"],
        methods=tuple(row["methods"]),
        acr=row["acr"],
        auth_s=int(row["auth_time"].timestamp()),
        create_s=int(row["create_time"].timestamp()),
        expire_s=int(row["expire_time"].timestamp()),
        address=row["address"],
        scope=row["scope"],
        revoked=row["revoke_time"] is not None,
        rate_class=row["rate_class"],
    )


def device_of(row: Row) -> Device:
    """A row of device_code."""
    return Device(
        client_id=row["client_id"],
        scope=row["scope"],
        expire_s=row["expire_time"].timestamp(),
        interval_s=row["interval_s"],
        last_poll_s=row["last_poll_time"].timestamp() if row["last_poll_time"] else None,
        decided=row["decided"],
        subject=row["subject"],
        methods=tuple(row["methods"]),
        auth_s=int(row["auth_time"].timestamp()) if row["auth_time"] else 0,
        used=row["use_time"] is not None,
        wanted=Wanted(row["second"], row["max_age_s"]),
        external=row["external"],
    )


def bearer_of_person(person: Person) -> Bearer:
    """Whom a person's tokens speak for."""
    return Bearer(person.name, person.shown, person.desk, person.access, person.access_until, person.version)


def bearer_of_client(client: Client) -> Bearer:
    """Whom a client's own tokens speak for."""
    return Bearer(client.name, client.shown, client.desk, client.access, client.access_until, client.version)


def moment(seconds: float) -> datetime:
    """A time in UTC from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
