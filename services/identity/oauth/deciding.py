"""The protocol, by Authlib, over values: what a request needs was loaded before, what it changes is committed after.

Authlib's server asks and saves by itself, without asyncio, one thing after another. Here it asks `Known` and its
answers are kept in `Decision`, so that one transaction carries all of it or nothing: a code is used, a session opened
and a token given together, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, grants
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Error,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE, JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from crossrate.rpc.http_listener import Seen
from services.identity import jose
from services.identity.domain.client import ASSERTION_ALGORITHMS
from services.identity.domain.device import Device
from services.identity.domain.session import Bearer, Session
from services.identity.oauth.models import CodeModel, KeyModel, ProgramModel, RefreshModel

ASSERTION_LIFE_S_MAX = 3600
"""Common libraries state an hour; each works once all the same."""
ASSERTION_LEEWAY_S = 30
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
PROGRAM_METHODS = ["private_key_jwt", "tls_client_auth", "client_secret_basic", "client_secret_post"]


class Request(OAuth2Request):
    """A request as Authlib takes it: parameters that were each given once."""

    def __init__(self, method: str, uri: str, parameters: dict[str, str], headers: Mapping[str, str]) -> None:
        super().__init__(method, uri, headers=dict(headers))
        self.payload = BasicOAuth2Payload(parameters)
        self._parameters = parameters

    @property
    def args(self) -> dict[str, str]:
        """The query's parameters."""
        return self._parameters

    @property
    def form(self) -> dict[str, str]:
        """The body's parameters."""
        return self._parameters


@dataclass
class Known:
    """What was loaded for a request."""

    now: datetime
    issuer: str
    seen: Seen
    client: ProgramModel | KeyModel | None = None
    code: CodeModel | None = None
    refresh: RefreshModel | None = None
    device: Device | None = None
    session: Session | None = None
    """Of a program that comes again."""
    bearer: Bearer | None = None
    """Whom the tokens will speak for; None if that is nobody, or nobody who may log in."""


@dataclass
class Decision:
    """What a request decided, to be committed before it is answered."""

    status: int = 400
    body: dict[str, Any] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    grant: str = ""
    jti: str = ""
    jti_expire_s: int = 0
    gives: bool = False
    """Whether tokens are given; they are made after the decision, by who knows session and keys."""
    refreshable: bool = False
    slow_down: bool = False
    failure: str = ""
    """Why the client was not let in, one word for the fact."""


class _Assertion(JWTBearerClientAssertion):
    """private_key_jwt: few algorithms, one audience, once, and not for long (RFC 7523, OpenID Connect Core 9)."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, known: Known, decision: Decision) -> None:
        super().__init__(validate_jti=True, leeway=ASSERTION_LEEWAY_S)
        self._known, self._decision = known, decision

    def extract_assertion(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims, not verified yet."""
        try:
            return jose.looked_at(assertion, ASSERTION_ALGORITHMS, None)
        except jose.Refused as refused:
            self._decision.failure = "ASSERTION"
            raise InvalidClientError(description=f"The assertion is refused: {refused}.".replace('"', "'")) from None

    def resolve_client_public_key(self, client: ProgramModel) -> KeySet:
        """The client's registered keys; nothing in the assertion chooses another."""
        if not isinstance(client, ProgramModel) or not client.client.jwks:
            raise InvalidClientError(description="The client has no keys.")
        return KeySet.import_key_set(json.loads(client.client.jwks))

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """The claims, verified."""
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=list(ASSERTION_ALGORITHMS))
            self.verify_claims(token.claims)
        except (JoseError, ValueError, jose.Refused) as error:
            self._decision.failure = "ASSERTION"
            words = str(error) if isinstance(error, jose.Refused) else type(error).__name__
            raise InvalidClientError(description=f"The assertion is refused: {words}.".replace('"', "'")) from None
        except InvalidClientError:
            self._decision.failure = "ASSERTION"
            raise
        return token.claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """The client's own word about itself, for us alone, of now and not for long; by our clock alone."""
        client_id = self._known.client.get_client_id() if self._known.client is not None else ""
        if not client_id or jose.word(claims, "iss") != client_id or jose.word(claims, "sub") != client_id:
            raise jose.Refused("iss and sub are not the client")
        # One audience: of several, another may be the one that it was made for.
        if claims.get("aud") not in self.get_audiences():
            raise jose.Refused("aud is another")
        now_s, expire_s = self._known.now.timestamp(), jose.number(claims, "exp")
        issued_s = jose.number(claims, "iat")
        if expire_s <= now_s - ASSERTION_LEEWAY_S or issued_s > now_s + ASSERTION_LEEWAY_S:
            raise jose.Refused("the times are not of now")
        if expire_s - issued_s > ASSERTION_LIFE_S_MAX or expire_s - now_s > ASSERTION_LIFE_S_MAX + ASSERTION_LEEWAY_S:
            raise jose.Refused("it lives too long")
        if "nbf" in claims and jose.number(claims, "nbf") > now_s + ASSERTION_LEEWAY_S:
            raise jose.Refused("it is not good yet")
        self.validate_jti(claims, jose.word(claims, "jti", 128))

    def get_audiences(self) -> list[str]:
        """The issuer, or the token endpoint."""
        return [self._known.issuer, f"{self._known.issuer}/oauth2/token"]

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """Leaves it to the commit to see whether it came before."""
        self._decision.jti, self._decision.jti_expire_s = jti, int(claims["exp"])
        return True


class _S256(CodeChallenge):
    """PKCE, always, and never plain."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """As Authlib's; a challenge without its method would be plain."""
        if grant.request.payload.data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method is to be S256")
        super().validate_code_challenge(grant, redirect_uri)


class _Code(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def query_authorization_code(self, code: str, client: ProgramModel) -> CodeModel | None:
        known: Known = self.server.known
        found = known.code
        if found is None or found.code.client_id != client.get_client_id():
            return None
        return None if found.code.used or found.code.expire_time <= known.now else found

    def authenticate_user(self, authorization_code: CodeModel) -> Bearer | None:
        return self.server.known.bearer

    def delete_authorization_code(self, authorization_code: CodeModel) -> None:
        """The commit uses it."""


class _Refresh(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshModel | None:
        known: Known = self.server.known
        found = known.refresh
        if found is None or found.refresh.used or found.refresh.expire_time <= known.now:
            return None
        return found if found.session.open(known.now.timestamp()) else None

    def authenticate_user(self, refresh_token: RefreshModel) -> Bearer | None:
        if self.server.known.bearer is None:
            raise InvalidGrantError("The person may not log in.")
        return self.server.known.bearer

    def revoke_old_credential(self, refresh_token: RefreshModel) -> None:
        """The commit uses it."""


class _Program(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = PROGRAM_METHODS

    def validate_token_request(self) -> None:
        super().validate_token_request()
        if self.server.known.bearer is None:
            raise InvalidClientError(description="The client may not come in.")


class _Device(DeviceCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def query_device_credential(self, device_code: str) -> Any:
        known: Known = self.server.known
        if known.device is None or known.device.used:
            raise InvalidGrantError("Invalid 'device_code' in payload")
        return _Credential(known.device, known.now.timestamp())

    def query_user_grant(self, user_code: str) -> tuple[Bearer | None, bool] | None:
        known: Known = self.server.known
        assert known.device is not None, "it was found before"
        if known.device.decided is None:
            return None
        return known.bearer, known.device.decided and known.bearer is not None

    def should_slow_down(self, credential: Any) -> bool:
        known: Known = self.server.known
        assert known.device is not None, "it was found before"
        self.server.decision.slow_down = known.device.too_fast(known.now.timestamp())
        return self.server.decision.slow_down


class _Credential:
    def __init__(self, device: Device, now_s: float) -> None:
        self._device, self._now_s = device, now_s

    def get_client_id(self) -> str:
        return self._device.client_id

    def get_scope(self) -> str:
        return self._device.scope

    def get_user_code(self) -> str:
        return ""

    def is_expired(self) -> bool:
        return self._device.expire_s <= self._now_s


class _Exchange(grants.ClientCredentialsGrant):
    """A token of the provider outside for one of ours (RFC 8693); it was verified before, and gave the bearer."""

    GRANT_TYPE = EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = ("none", "private_key_jwt", "tls_client_auth")

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if self.server.known.bearer is None:
            raise InvalidGrantError("The subject token is refused.")
        self.request.client = client


class Deciding(AuthorizationServer):
    """One request's server."""

    def __init__(self, known: Known) -> None:
        super().__init__()
        self.known = known
        self.decision = Decision()
        self.register_client_auth_method("private_key_jwt", _Assertion(known, self.decision))
        self.register_client_auth_method("tls_client_auth", self._by_certificate)
        self.register_grant(_Code, [_S256(required=True)])
        self.register_grant(_Refresh)
        self.register_grant(_Program)
        self.register_grant(_Device)
        self.register_grant(_Exchange)

    def query_client(self, client_id: str) -> ProgramModel | KeyModel | None:
        """The one that was loaded, if it is the one that is asked for."""
        client = self.known.client
        return client if client is not None and client.get_client_id() == client_id else None

    def _by_certificate(self, query_client: Any, request: Request) -> Any:
        client = query_client(request.form.get("client_id"))
        if not isinstance(client, ProgramModel) or not client.client.tls_san_uri:
            return None
        if self.known.seen.identity != client.client.tls_san_uri or not self.known.seen.fingerprint:
            self.decision.failure = "CERTIFICATE"
            return None
        return client

    def generate_token(self, grant_type: str, client: Any, **more: Any) -> dict[str, Any]:
        """Nothing yet: who commits makes the tokens."""
        self.decision.gives = True
        self.decision.grant = grant_type
        self.decision.refreshable = bool(more.get("include_refresh_token"))
        return {}

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        """Nothing: the commit does."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Request) -> Request:
        """It is one."""
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Decision:
        """The decision, filled in."""
        self.decision.status = status
        self.decision.body = body if isinstance(body, dict) else {}
        self.decision.headers = headers
        return self.decision

    def token(self, request: Request) -> Decision:
        """Decides a request to the token endpoint."""
        if "client_assertion" in request.form and request.headers.get("Authorization"):
            return self.refused(InvalidRequestError("More than one way to prove the client."))
        if request.form.get("client_assertion") and request.form.get("client_assertion_type") != ASSERTION_TYPE:
            return self.refused(InvalidRequestError(f"client_assertion_type is to be {ASSERTION_TYPE}"))
        try:
            decided = self.create_token_response(request)
        except (ValueError, TypeError, KeyError, UnicodeError):
            # Authlib raises them for what it cannot put into words of the protocol, such as signs that none may have.
            return self.refused(InvalidRequestError("The request is malformed."))
        return decided

    def refused(self, error: OAuth2Error) -> Decision:
        """The answer to a request that is refused."""
        self.decision.gives = False
        return self.handle_response(*error())


def new_code() -> str:
    """A code of 48 signs: 285 bits."""
    return generate_token(48)
