"""The token endpoint: load, decide, commit, answer."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidGrantError, OAuth2Error

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from crossrate.rpc.http_listener import Seen
from services.identity.domain.session import (
    Bearer,
    Session,
    access_claims,
    acr_of,
    id_claims,
    rate_class_of,
)
from services.identity.external import ExternalProvider, ExternalRefused
from services.identity.oauth.deciding import EXCHANGE, Deciding, Decision, Known, Request
from services.identity.oauth.loading import external_bearer, limited, load, subject_bearer
from services.identity.oauth.models import KeyModel, ProgramModel
from services.identity.settings import Settings
from services.identity.signing import ACCESS_TYPE, Signer
from services.identity.store import devices, tokens
from services.identity.store.ending import revoke_session
from services.identity.store.writing import Change, Origin, Writer
from services.identity.vault import new_number, new_secret

ATTEMPTS_MAX = 12
"""How often a request is decided anew because the subject changed under it."""
PAUSE_S_MAX = 0.02
REFRESH_PREFIX = "xrr_"


class Contended(Exception):
    """The subject changed again and again; trying again is safe, nothing was used."""


class _Changed(Exception):
    """The subject changed since it was loaded."""


class _Reused(Exception):
    """A secret came twice; `session_id` is what the first use opened, or belongs to."""

    def __init__(self, token: str, session_id: str, subject: str) -> None:
        super().__init__(token)
        self.token, self.session_id, self.subject = token, session_id, subject


def certificate_of(seen: Seen) -> str:
    """The SHA-256 of the client's certificate as tokens name it, base64url; "" for none."""
    if not seen.fingerprint:
        return ""
    return base64.urlsafe_b64encode(bytes.fromhex(seen.fingerprint)).decode().rstrip("=")


class Tokens:
    """Gives tokens."""

    def __init__(
        self,
        writer: Writer,
        signer: Signer,
        settings: Settings,
        external: ExternalProvider | None,
        clock: Callable[[], datetime],
        log: Any,
    ) -> None:
        self._writer = writer
        self._signer = signer
        self._settings = settings
        self._external = external
        self._clock = clock
        self._log = log

    async def answer(self, form: dict[str, str], authorization: str, seen: Seen) -> Decision:
        """Decides a request and does what it decided.

        Raises:
            StoreUnavailable, OutcomeUnknown: the database is away.
            NoKey: nothing can be signed.
            Contended: the subject changed too often.
        """
        headers = {"Authorization": authorization} if authorization else {}
        request = Request("POST", f"{self._signer.issuer}/oauth2/token", form, headers)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            async with self._writer.database.connection() as connection:
                known = await load(connection, form, authorization, seen, self._signer.issuer, self._clock())
            exchanged = form.get("grant_type") == EXCHANGE
            said = await self._exchanged(form, known) if exchanged else self._said_before(known)
            server = Deciding(known)
            decision = server.token(request)
            try:
                return await self._commit(server, decision, known, form, said)
            except _Changed:
                if attempt == ATTEMPTS_MAX:
                    raise Contended from None
                await asyncio.sleep(random.uniform(0.0, PAUSE_S_MAX))
            except _Reused as reused:
                await self._reused(reused, seen)
                error: OAuth2Error = InvalidGrantError("It was used before.")
                if reused.token == "ASSERTION":
                    error = InvalidClientError(description="JWT ID is used before.")
                return server.refused(error)
        raise AssertionError("the last attempt returns")

    async def _exchanged(self, form: dict[str, str], known: Known) -> str | None:
        """What the provider outside says of a subject token, JSON; None if it is refused."""
        if self._external is None or form.get("subject_token_type") not in (
            "urn:ietf:params:oauth:token-type:jwt",
            "urn:ietf:params:oauth:token-type:access_token",
            "urn:ietf:params:oauth:token-type:id_token",
        ):
            return None
        try:
            said = await self._external.said(form.get("subject_token", ""), known.now.timestamp())
        except ExternalRefused as refused:
            self._log.info("a token of the provider outside is refused", reason=str(refused))
            return None
        known.bearer = external_bearer(said)
        return said

    def _said_before(self, known: Known) -> str | None:
        """What the provider outside said when its person let a program in; None for a person of ours."""
        said = known.code.code.external if known.code is not None else None
        said = known.device.external if known.device is not None else said
        if said is not None and (self._external is None or not self._external.logs_in):
            known.bearer = None
        return said

    async def _commit(
        self, server: Deciding, decision: Decision, known: Known, form: dict[str, str], said: str | None
    ) -> Decision:
        self._look_for_reuse(known, decision)
        if not decision.gives:
            await self._note(decision, known, form)
            return decision
        assert known.bearer is not None, "tokens are given to somebody"
        bearer, client = known.bearer, known.client
        assert client is not None, "a client was authenticated"
        session, is_new = self._session(known, decision, said)
        refresh = new_secret(REFRESH_PREFIX) if decision.refreshable else ""
        body = self._tokens(session, bearer, known, decision.grant)

        async def work(change: Change) -> None:
            await self._use(change, known, decision, form, session, bearer, is_new=is_new, said=said)
            if refresh:
                idle_s = self._settings.refresh_idle_s
                expire = min(change.now + timedelta(seconds=idle_s), _moment(session.expire_s, change.now))
                await tokens.add_refresh(change.connection, refresh, session.session_id, expire)

        await self._writer.change(_origin(known, session), work)
        if refresh:
            body["refresh_token"] = refresh
        return server.handle_response(200, body, decision.headers)

    def _look_for_reuse(self, known: Known, decision: Decision) -> None:
        """A secret that was used before is known to somebody else, whoever asks now.

        Raises:
            _Reused: it was.
        """
        client_id = known.client.get_client_id() if known.client else ""
        if known.refresh is not None and known.refresh.refresh.used and known.refresh.session.client_id == client_id:
            raise _Reused("REFRESH_TOKEN", known.refresh.session.session_id, known.refresh.session.subject)
        if known.code is not None and known.code.code.used and known.code.code.client_id == client_id:
            raise _Reused("AUTHORIZATION_CODE", known.code.code.session_id, known.code.code.subject)

    def _session(self, known: Known, decision: Decision, said: str | None) -> tuple[Session, bool]:
        """The session of the tokens, and whether it is opened now."""
        assert known.bearer is not None, "tokens are given to somebody"
        now_s, client = known.now.timestamp(), known.client
        assert client is not None, "a client was authenticated"
        if known.refresh is not None:
            return known.refresh.session, False
        if decision.grant == "client_credentials" and known.session is not None:
            return known.session, False
        life_s, scope, methods, auth_s = self._settings.session_life_s, "", ("swk",), int(now_s)
        rate_class = "standard"
        if known.code is not None:
            scope, methods = known.code.code.scope, known.code.code.methods
            auth_s = int(known.code.code.auth_time.timestamp())
        elif known.device is not None:
            scope, methods, auth_s = known.device.scope, known.device.methods, known.device.auth_s
        elif said is not None:
            told = json.loads(said)
            methods, auth_s = tuple(told["methods"]), int(told["auth_s"])
        else:
            life_s = self._settings.program_session_life_s
        if said is not None and self._external is not None:
            life_s = min(life_s, self._external.session_life_s)
        if isinstance(client, ProgramModel):
            rate_class = client.client.rate_class
        elif isinstance(client, KeyModel):
            methods, rate_class = ("pwd",), client.key.rate_class
            life_s = min(life_s, max(1, int(client.key.expire_time.timestamp() - now_s)))
        return (
            Session(
                session_id=new_number(),
                subject=known.bearer.subject,
                client_id=client.get_client_id(),
                methods=methods,
                acr=acr_of(methods),
                auth_s=auth_s,
                create_s=int(now_s),
                expire_s=int(now_s) + life_s,
                address=known.seen.address,
                scope=scope,
                rate_class=rate_class,
            ),
            True,
        )

    def _tokens(self, session: Session, bearer: Bearer, known: Known, grant: str) -> dict[str, Any]:
        now_s, issuer = known.now.timestamp(), self._signer.issuer
        life_s = max(1, min(self._settings.token_life_s, session.expire_s - int(now_s)))
        bound = isinstance(known.client, ProgramModel) and known.client.client.bound_tokens
        certificate = certificate_of(known.seen) if bound else ""
        by_role = self._settings.rate_class_by_role
        person = not isinstance(known.client, KeyModel) and bearer.subject != session.client_id
        claims = access_claims(
            session,
            bearer,
            issuer=issuer,
            now_s=now_s,
            life_s=life_s,
            token_id=new_number(),
            certificate=certificate,
            rate_class=rate_class_of(bearer.access.roles, by_role) if by_role and person else "",
        )
        body: dict[str, Any] = {
            "access_token": self._signer.sign(claims, ACCESS_TYPE, now_s),
            "token_type": "Bearer",
            "expires_in": life_s,
        }
        if session.scope:
            body["scope"] = session.scope
        if "openid" in session.scope.split():
            nonce = known.code.code.nonce if known.code is not None else ""
            spoken = id_claims(session, bearer, issuer=issuer, now_s=now_s, life_s=life_s, nonce=nonce)
            body["id_token"] = self._signer.sign(spoken, "JWT", now_s)
        if grant == EXCHANGE:
            body["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
        return body

    async def _use(
        self,
        change: Change,
        known: Known,
        decision: Decision,
        form: dict[str, str],
        session: Session,
        bearer: Bearer,
        *,
        is_new: bool,
        said: str | None,
    ) -> None:
        """Holds the subject as it was loaded, and uses every secret of the request once.

        Raises:
            _Changed: it is another; _Reused: somebody was quicker.
        """
        connection, client = change.connection, known.client
        if said is None and not await self._unchanged(change, known, session):
            raise _Changed
        if known.refresh is not None:
            # Refreshes of one session go one after another: a second use waits here for the first.
            row = await tokens.find_session(connection, session.session_id, lock="FOR UPDATE")
            if row is None or row.revoked:
                raise _Changed
            if not await tokens.use_refresh(connection, known.refresh.refresh.sha256, change.now):
                raise _Reused("REFRESH_TOKEN", session.session_id, session.subject)
        if known.code is not None:
            sha256 = known.code.code.sha256
            if not await tokens.use_code(connection, sha256, session.session_id, change.now):
                used = await tokens.find_code(connection, form["code"])
                raise _Reused("AUTHORIZATION_CODE", used.session_id if used else "", session.subject)
        if known.device is not None and not await devices.use_device(connection, form["device_code"], change.now):
            raise _Changed
        if decision.jti:
            expire = _moment(decision.jti_expire_s, change.now)
            assert client is not None, "an assertion names a client"
            if not await tokens.claim_assertion(connection, client.get_client_id(), decision.jti, expire):
                raise _Reused("ASSERTION", "", client.get_client_id())
        if isinstance(client, KeyModel):
            await connection.execute(
                "UPDATE api_key SET last_use_time = date_trunc('minute', $2::timestamptz) WHERE key_id = $1",
                client.key.key_id,
                change.now,
            )
        if not is_new:
            await tokens.touch_session(connection, session.session_id, change.now)
            return
        await tokens.add_session(connection, session, change.now, said)
        fact = events_pb2.LoggedIn(
            subject=session.subject,
            client_id=session.client_id,
            session_id=session.session_id,
            methods=session.methods,
            acr=session.acr,
        )
        change.tell(session.subject, fact)

    async def _unchanged(self, change: Change, known: Known, session: Session) -> bool:
        """Whether the subject is still as it was loaded, held so until the commit."""
        assert known.bearer is not None, "tokens are given to somebody"
        if known.refresh is not None and await tokens.external_of(change.connection, session.session_id):
            return True
        now = await subject_bearer(change.connection, session.subject, lock="FOR SHARE")
        if isinstance(known.client, KeyModel):
            now = limited(now, known.client.key.limit)
            key = known.client.key
            good = await change.connection.fetchval(
                "SELECT true FROM api_key WHERE key_id = $1 AND revoke_time IS NULL FOR SHARE", key.key_id
            )
            if not good:
                return False
        return now == known.bearer

    async def _note(self, decision: Decision, known: Known, form: dict[str, str]) -> None:
        """What a refused request leaves behind: a device that asks too often waits longer, a wrong proof is a fact."""
        if known.device is not None and decision.body.get("error") in ("authorization_pending", "slow_down"):
            async with self._writer.database.transaction() as connection:
                await devices.polled(connection, form["device_code"], known.now, too_fast=decision.slow_down)
        if decision.body.get("error") != "invalid_client" or known.client is None:
            return
        name = known.client.get_client_id()
        subject = known.client.key.subject if isinstance(known.client, KeyModel) else name
        reason = decision.failure or ("SECRET" if isinstance(known.client, KeyModel) else "CERTIFICATE")
        fact = events_pb2.LoginFailed(subject=subject, reason=reason, failure_count=1)

        async def work(change: Change) -> None:
            change.tell(subject, fact)

        await self._writer.change(Origin(principal=f"client:{name}", address=known.seen.address), work)

    async def _reused(self, reused: _Reused, seen: Seen) -> None:
        """Somebody has a copy: the session is over, for the thief and for the owner."""

        async def work(change: Change) -> None:
            fact = events_pb2.TokenReused(subject=reused.subject, session_id=reused.session_id, token=reused.token)
            change.tell(reused.subject, fact)
            if reused.session_id:
                await revoke_session(change, reused.session_id, "REUSE")

        self._log.warning("a secret was used twice", token=reused.token, subject=reused.subject)
        await self._writer.change(Origin(address=seen.address, request_id=seen.request_id), work)


def _moment(seconds: int, like: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, like.tzinfo)


def _origin(known: Known, session: Session) -> Origin:
    return Origin(principal=f"client:{session.client_id}", address=known.seen.address, request_id=known.seen.request_id)
