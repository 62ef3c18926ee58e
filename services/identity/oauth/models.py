"""Clients, codes and tokens as Authlib asks about them."""

from __future__ import annotations

import hmac

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin

from services.identity.domain.client import AUTH_METHODS, ApiKey, Authentication, Client
from services.identity.domain.session import Session
from services.identity.store.tokens import Code, Refresh
from services.identity.vault import digest

SCOPES = ("openid", "profile", "offline_access")
DEFAULT_SCOPE = "openid profile offline_access"


def allowed_scope(asked: str | None) -> str:
    """Those of the scopes asked for that there are; what may be done is granted, not asked for."""
    words = (asked or DEFAULT_SCOPE).split()
    return " ".join(scope for scope in SCOPES if scope in words)


class ProgramModel(ClientMixin):
    """A client of the contract."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        """Its name."""
        return self.client.name

    def get_default_redirect_uri(self) -> None:
        """None: a request names where it returns to, always."""
        return

    def get_allowed_scope(self, scope: str | None) -> str:
        """See allowed_scope."""
        return allowed_scope(scope)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is registered."""
        return self.client.may_return_to(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        """False: no client has one."""
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it proves itself so."""
        return method == AUTH_METHODS[self.client.authentication] and not self.client.disabled

    def check_response_type(self, response_type: str) -> bool:
        """Codes, for programs through which persons log in."""
        return response_type == "code" and self.client.authentication is Authentication.NONE

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may ask for that."""
        return grant_type in self.client.grant_types


class KeyModel(ClientMixin):
    """An API key as a client with a secret: it gets tokens for its owner."""

    def __init__(self, key: ApiKey) -> None:
        self.key = key

    def get_client_id(self) -> str:
        """The key's id."""
        return self.key.key_id

    def get_default_redirect_uri(self) -> None:
        """None: it is for programs."""
        return

    def get_allowed_scope(self, scope: str | None) -> str:
        """See allowed_scope."""
        return allowed_scope(scope)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """False."""
        return False

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether the secret is the key's."""
        return hmac.compare_digest(digest(client_secret), self.key.secret_sha256)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """By its secret, at the token endpoint."""
        return method in ("client_secret_basic", "client_secret_post") and endpoint == "token"

    def check_response_type(self, response_type: str) -> bool:
        """False."""
        return False

    def check_grant_type(self, grant_type: str) -> bool:
        """Only for itself."""
        return grant_type == "client_credentials"


class CodeModel(AuthorizationCodeMixin):
    """An authorization code; PKCE with S256 is not optional."""

    code_challenge_method = "S256"

    def __init__(self, code: Code) -> None:
        self.code = code
        self.code_challenge = code.code_challenge

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.code.redirect_uri

    def get_scope(self) -> str:
        """What was asked for."""
        return self.code.scope


class RefreshModel(TokenMixin):
    """A refresh token with its session."""

    def __init__(self, refresh: Refresh, session: Session) -> None:
        self.refresh, self.session = refresh, session

    def check_client(self, client: ClientMixin) -> bool:
        """Whether it was given to this program."""
        return self.session.client_id == client.get_client_id()

    def get_scope(self) -> str:
        """What was asked for."""
        return self.session.scope
