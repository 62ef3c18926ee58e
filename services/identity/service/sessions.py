"""SessionService: sessions, tokens, signing keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from crossrate.api.identity.v1 import session_service_pb2 as pb
from crossrate.api.identity.v1.session_service_pb2_grpc import SessionServiceServicer
from crossrate.rpc import errors
from services.identity.domain.access import Access
from services.identity.domain.signing_key import Schedule, signing
from services.identity.keeping import Keeping
from services.identity.messages import access_message, session_message, timestamp
from services.identity.reading import Reading
from services.identity.service.calls import PAGE_DEFAULT, key_of, once, token_after, told
from services.identity.signing import ALGORITHM
from services.identity.store import people, tokens
from services.identity.store.ending import revoke_session, revoke_subject
from services.identity.store.writing import Change, Writer


def _key_messages(keys: list[Schedule], now_s: float) -> list[pb.SigningKey]:
    now = signing(keys, now_s)
    return [
        pb.SigningKey(
            key_id=key.key_id,
            algorithm=ALGORITHM,
            publish_time=timestamp(key.publish_s),
            sign_time=timestamp(key.sign_s),
            remove_time=timestamp(key.remove_s),
            signing=now is not None and key.key_id == now.key_id,
        )
        for key in sorted(keys, key=lambda key: key.sign_s, reverse=True)
        if key.published(now_s)
    ]


class SessionService(SessionServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, writer: Writer, reading: Reading, keeping: Keeping, clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._reading = reading
        self._keeping = keeping
        self._clock = clock

    async def ListSessions(self, request: pb.ListSessionsRequest, context) -> pb.ListSessionsResponse:
        """See the contract."""
        choice, size = f"sessions|{request.subject}", request.page_size or PAGE_DEFAULT
        after = None
        if key := key_of(request.page_token, choice):
            stamp, _, session_id = key.partition("|")
            after = datetime.fromtimestamp(int(stamp) / 1_000_000, UTC), session_id
        with told():
            async with self._writer.database.connection() as connection:
                found = await tokens.session_page(connection, request.subject, after, size + 1, self._clock())
        following = ""
        if len(found) > size:
            last, _, begun = found[size - 1]
            stamp = int(begun.timestamp()) * 1_000_000 + begun.microsecond
            following = token_after(f"{stamp}|{last.session_id}", choice)
        listed = [session_message(session, use) for session, use, _ in found[:size]]
        return pb.ListSessionsResponse(sessions=listed, next_page_token=following)

    async def RevokeSession(self, request: pb.RevokeSessionRequest, context) -> pb.RevokeSessionResponse:
        """See the contract."""

        async def work(change: Change) -> pb.RevokeSessionResponse:
            if await tokens.find_session(change.connection, request.session_id) is None:
                raise people.Missing("session", request.session_id)
            count = await revoke_session(change, request.session_id, "REVOKED", request.comment)
            return pb.RevokeSessionResponse(count=count)

        return await once(self._writer, request, work, pb.RevokeSessionResponse)

    async def RevokeSessions(self, request: pb.RevokeSessionsRequest, context) -> pb.RevokeSessionsResponse:
        """See the contract."""

        async def work(change: Change) -> pb.RevokeSessionsResponse:
            count = await revoke_subject(change, request.subject, "REVOKED", request.comment)
            return pb.RevokeSessionsResponse(count=count)

        return await once(self._writer, request, work, pb.RevokeSessionsResponse)

    async def Introspect(self, request: pb.IntrospectRequest, context) -> pb.IntrospectResponse:
        """See the contract."""
        with told():
            said: dict[str, Any] = await self._reading.introspect(request.token)
        if not said.get("active"):
            return pb.IntrospectResponse()
        access = Access.of(said["roles"], said["accounts"], said.get("instruments", ("*",)))
        return pb.IntrospectResponse(
            active=True,
            subject=said["sub"],
            client_id=said["client_id"],
            session_id=said["sid"],
            desk=said["desk"],
            access=access_message(access),
            methods=said["amr"],
            acr=said["acr"],
            auth_time=timestamp(said["auth_time"]) if "auth_time" in said else None,
            expire_time=timestamp(said["exp"]),
            certificate_sha256=said.get("cnf", {}).get("x5t#S256", ""),
        )

    async def ListSigningKeys(self, request: pb.ListSigningKeysRequest, context) -> pb.ListSigningKeysResponse:
        """See the contract."""
        with told():
            schedules = await self._keeping.refresh()
        return pb.ListSigningKeysResponse(keys=_key_messages(schedules, self._clock().timestamp()))

    async def RotateSigningKeys(self, request: pb.RotateSigningKeysRequest, context) -> pb.RotateSigningKeysResponse:
        """See the contract."""
        if request.compromised and not request.comment:
            raise errors.invalid(("comment", "says what happened: every session ends now"))

        async def work(change: Change) -> pb.RotateSigningKeysResponse:
            schedules = await self._keeping.rotate(change, request.compromised, request.comment)
            return pb.RotateSigningKeysResponse(keys=_key_messages(schedules, change.now.timestamp()))

        answer = await once(self._writer, request, work, pb.RotateSigningKeysResponse)
        with told():
            await self._keeping.refresh()
        return answer
