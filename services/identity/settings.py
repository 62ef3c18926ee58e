"""What may be set for `identity`: at start from the environment as CROSSRATE_IDENTITY_<FIELD>."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from crossrate.runtime.topology import ROLES
from services.identity.domain.session import RATE_CLASSES


class External(BaseSettings):
    """Another provider (Keycloak, Entra, Google …); CROSSRATE_IDENTITY_EXTERNAL_…

    Its tokens are exchanged for ours where `audience` is set. With `client_id` it takes the place of our login: the
    pages send everybody there (authorization code with PKCE), and what comes back is mapped to grants.

    `roles` says which of its values give which roles, as JSON: {"fx-traders": ["trader", "viewer"]}. Accounts and
    instruments are taken from claims as they are, or from `accounts` and `instruments` for everybody.
    """

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_IDENTITY_EXTERNAL_", frozen=True, extra="ignore")

    issuer: str = ""
    """Its `iss`, and where its discovery document is; empty for none."""
    audience: str = ""
    """The `aud` of its tokens that are exchanged; empty for `client_id`."""
    client_id: str = ""
    """Our name there, for which <issuer of ours>/login/outside/back is registered; empty to keep our own login."""
    client_secret: SecretStr = SecretStr("")
    """What proves the name at its token endpoint; empty for a public client."""
    scope: str = "openid profile email"
    local_login: bool = False
    """Whether our own persons' passwords are taken beside it."""
    session_life_s: int = Field(default=3600, ge=300, le=86_400)
    """Life of a session that it opened: how long who was removed there may still come in here."""
    jwks_uri: str = ""
    """Where its keys are; empty to find them by discovery."""
    ca_file: str = ""
    """Roots to trust for it, a PEM file; empty for those of this machine."""
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256")
    subject_claim: str = "preferred_username"
    """Whose value, made a name, is the subject."""
    roles_claim: str = "groups"
    """A list of words, by a path of names with dots between them ("realm_access.roles")."""
    roles: dict[str, tuple[str, ...]] = {}
    accounts_claim: str = ""
    accounts: tuple[str, ...] = ()
    instruments_claim: str = ""
    instruments: tuple[str, ...] = ("*",)
    desk_claim: str = ""
    desk: str = "main"
    second_factor_amr: tuple[str, ...] = ("mfa", "otp", "hwk", "swk", "fido")
    """Values of its `amr` that count as a second factor."""
    second_factor_acr: tuple[str, ...] = ()
    """Values of its `acr` that do."""
    step_up_acr: str = ""
    """The `acr_values` to ask it for where a second factor is wanted."""
    require: dict[str, tuple[str, ...]] = {}
    """Claims that a token must have, each with one of these values: {"hd": ["example.com"]} for Google."""

    @field_validator("issuer", "jwks_uri")
    @classmethod
    def _is_https(cls, value: str) -> str:
        if value and not value.startswith("https://"):
            raise ValueError("is not https://…")
        return value


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_IDENTITY_", frozen=True, extra="ignore")

    issuer: str = ""
    """What tokens name as `iss`: where clients reach the edge. Empty for https://localhost:<the edge's port>."""
    token_life_s: int = Field(default=300, ge=30, le=300)
    """Life of access tokens."""
    session_life_s: int = Field(default=12 * 3600, ge=300, le=30 * 86_400)
    """Life of a person's session, refreshed or not."""
    program_session_life_s: int = Field(default=24 * 3600, ge=300, le=30 * 86_400)
    """Life of a program's session; the next one begins by itself."""
    refresh_idle_s: int = Field(default=8 * 3600, ge=60, le=30 * 86_400)
    """How long a refresh token waits for its use."""
    browser_life_s: int = Field(default=8 * 3600, ge=300, le=7 * 86_400)
    """How long a browser stays logged in to these pages."""
    invitation_life_s: int = Field(default=72 * 3600, ge=300, le=30 * 86_400)
    recovery_life_s: int = Field(default=3600, ge=300, le=86_400)
    jwks_refresh_s: int = Field(default=30, ge=1, le=3600)
    """How long before it signs a key is published: how old the edge's copy may be."""
    key_life_s: int = Field(default=30 * 86_400, ge=60)
    """After how long a new signing key is made."""
    follow_interval_s: float = Field(default=2.0, gt=0, le=60)
    """How soon an instance knows keys that another has made."""
    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept."""
    forget_interval_s: float = Field(default=600.0, gt=0)
    """How often what is over is deleted: codes, tokens, answers."""
    rate_class_by_role: dict[str, str] = {}
    """The class of rates that a role gives persons, as JSON: {"viewer": "low", "trader": "high"}; of several the
    largest, "standard" for a role that is not named. Without any it is that of the program through which they come.
    Programs of their own and API keys have their own."""
    logins_per_minute: int = Field(default=20, ge=1, le=10_000)
    """Passwords, codes and assertions of one address; more wait."""
    password_memory_kib: int = Field(default=65_536, ge=8_192, le=1_048_576)
    """What argon2id takes for each password."""
    connections_max: int = Field(default=6, ge=3, le=32)
    """Connections to PostgreSQL."""

    @field_validator("rate_class_by_role")
    @classmethod
    def _is_known(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := sorted((set(value) - ROLES) | (set(value.values()) - set(RATE_CLASSES))):
            raise ValueError(f"no role or class: {', '.join(unknown)}; classes are {', '.join(RATE_CLASSES)}")
        return value
