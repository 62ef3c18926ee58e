"""Values as messages of the contract, and back."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.identity.v1 import access_pb2, client_pb2, session_service_pb2, user_pb2
from crossrate.api.policy.v1 import policy_pb2
from services.identity.domain.access import Access
from services.identity.domain.client import ApiKey, Authentication, Client
from services.identity.domain.person import Person
from services.identity.domain.session import Session

_CLASSES = {
    access_pb2.RATE_CLASS_UNSPECIFIED: "standard",
    access_pb2.RATE_CLASS_STANDARD: "standard",
    access_pb2.RATE_CLASS_HIGH: "high",
    access_pb2.RATE_CLASS_LOW: "low",
}


def timestamp(moment: datetime | float | None) -> Timestamp | None:
    """A time as a message; None stays None."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def access_message(access: Access) -> access_pb2.Access:
    """What somebody may do, in order."""
    roles = sorted(policy_pb2.Role.Value(f"ROLE_{role.upper()}") for role in access.roles)
    return access_pb2.Access(roles=roles, accounts=sorted(access.accounts), instruments=sorted(access.instruments))


def access_of(message: access_pb2.Access) -> Access:
    """The reverse."""
    roles = [policy_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in message.roles]
    return Access.of(roles, message.accounts, message.instruments)


def rate_class_of(value: int) -> str:
    """A rate class as tokens say it."""
    return _CLASSES[value]


def rate_class(word: str) -> access_pb2.RateClass:
    """The reverse."""
    return access_pb2.RateClass.Value(f"RATE_CLASS_{word.upper()}")


def user_message(person: Person) -> user_pb2.User:
    """A person as others may see it."""
    return user_pb2.User(
        name=person.name,
        display_name=person.display_name,
        email=person.email,
        desk=person.desk,
        state=user_pb2.UserState.Name(int(person.state)),
        access=access_message(person.access),
        version=person.version,
        create_time=timestamp(person.create_time),
        update_time=timestamp(person.update_time),
        last_login_time=timestamp(person.last_login_time),
        locked_until_time=timestamp(person.locked_until),
        has_totp=person.totp_sealed is not None,
        passkey_count=person.passkeys,
    )


def client_message(client: Client) -> client_pb2.Client:
    """A client."""
    return client_pb2.Client(
        name=client.name,
        display_name=client.display_name,
        desk=client.desk,
        authentication=client_pb2.ClientAuthentication.Name(int(client.authentication)),
        redirect_uris=client.redirect_uris,
        jwks=client.jwks,
        tls_san_uri=client.tls_san_uri,
        bound_tokens=client.bound_tokens,
        rate_class=rate_class(client.rate_class),
        disabled=client.disabled,
        access=access_message(client.access),
        version=client.version,
        create_time=timestamp(client.create_time),
    )


def client_of(message: client_pb2.Client, now: datetime) -> Client:
    """A client that is to be registered."""
    return Client(
        name=message.name,
        desk=message.desk,
        authentication=Authentication(message.authentication),
        create_time=now,
        display_name=message.display_name,
        redirect_uris=tuple(message.redirect_uris),
        jwks=message.jwks,
        tls_san_uri=message.tls_san_uri,
        bound_tokens=message.bound_tokens or message.authentication == client_pb2.CLIENT_AUTHENTICATION_TLS,
        rate_class=rate_class_of(message.rate_class),
        access=access_of(message.access),
    )


def api_key_message(key: ApiKey) -> client_pb2.ApiKey:
    """An API key without its secret."""
    return client_pb2.ApiKey(
        key_id=key.key_id,
        subject=key.subject,
        display_name=key.display_name,
        access=access_message(key.limit) if key.limit is not None else None,
        rate_class=rate_class(key.rate_class),
        create_time=timestamp(key.create_time),
        expire_time=timestamp(key.expire_time),
        last_use_time=timestamp(key.last_use_time),
        revoked=key.revoked,
    )


def session_message(session: Session, last_use: datetime | None) -> session_service_pb2.Session:
    """A session."""
    return session_service_pb2.Session(
        session_id=session.session_id,
        subject=session.subject,
        client_id=session.client_id,
        methods=session.methods,
        acr=session.acr,
        create_time=timestamp(session.create_s),
        auth_time=timestamp(session.auth_s),
        last_use_time=timestamp(last_use),
        expire_time=timestamp(session.expire_s),
        address=session.address,
    )
