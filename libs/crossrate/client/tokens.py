"""Access tokens for the SDK: got, kept and renewed by themselves, from whichever proof a program has.

    AsyncClient(target, ca=…, token=stored_login(target))                       somebody has logged in here
    AsyncClient(target, ca=…, token=ClientCredentials(target, "robot", key))    a program with a key of its own
    AsyncClient(target, ca=…, token=ApiKey(target, "xrk_…"))                    a key that was handed over

A token is renewed in the background when two thirds of its life are over, so that a call waits for one only at the
beginning. A call that was refused as UNAUTHENTICATED has done nothing: it is sent once more with a new token.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import re
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from crossrate.client.find import local_target, roots

if TYPE_CHECKING:
    import httpx

EARLY_SHARE = 1 / 3
"""What is left of a token's life when the next one is got."""
LATE_S = 5.0
"""A token that ends sooner is not sent any more."""
TIMEOUT_S = 10.0
ASSERTION_S = 60
COMMAND_LINE = "crossrate-cli"
"""The client through which people log in with this SDK."""


class LoginNeeded(Exception):
    """There is no token and none can be got; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; times are seconds since 1970."""

    value: str
    begin_s: float
    end_s: float

    def good(self, now_s: float) -> bool:
        """Whether it may be sent."""
        return now_s < self.end_s - LATE_S

    def old(self, now_s: float) -> bool:
        """Whether it is time for the next one."""
        return now_s > self.end_s - (self.end_s - self.begin_s) * EARLY_SHARE


class TokenSource(Protocol):
    """Where a client's tokens come from. Safe to share between threads.

    A source that may have to wait for one has also `at_hand() -> bool`: False if `current` would wait, which is then
    done in a thread of its own.
    """

    def current(self) -> str:
        """A token that is good now.

        Raises:
            LoginNeeded: there is none.
        """
        ...

    def renew(self, refused: str) -> bool:
        """Gets another token than one that was refused; False if there is none to be had."""
        ...


class Given:
    """A token that somebody else got; it is not renewed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        """See TokenSource."""
        return self._token

    def renew(self, refused: str) -> bool:
        """False."""
        return False


class Endpoint:
    """The token endpoint of a mesh, as a client of it."""

    def __init__(self, target: str | None, ca: bytes | str | Path | None, certificate: Path | None = None) -> None:
        self.target = target or local_target()
        self._ca, self._certificate = ca, certificate

    @property
    def issuer(self) -> str:
        """Where it is."""
        return f"https://{self.target}"

    def open(self) -> httpx.Client:
        """A connection to it, over TLS with the mesh's roots."""
        import httpx  # only who has tokens waits for it

        trust = ssl.create_default_context(cadata=roots(self._ca).decode())
        if self._certificate is not None:
            trust.load_cert_chain(self._certificate)
        return httpx.Client(base_url=self.issuer, verify=trust, timeout=TIMEOUT_S, trust_env=False)

    def post(self, path: str, form: dict[str, str], auth: tuple[str, str] | None = None) -> dict[str, Any]:
        """An answer of OAuth; one that says an error is one all the same.

        Raises:
            LoginNeeded: nobody answers, or with something else.
        """
        import httpx

        try:
            with self.open() as client:
                answer = client.post(path, data=form, auth=auth)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise LoginNeeded(f"{self.issuer} gives no tokens: {error}") from None
        if not isinstance(told, dict):
            raise LoginNeeded(f"{self.issuer} gives no tokens")
        return told


def token_of(told: dict[str, Any], remedy: str) -> Token:
    """The token in an answer.

    Raises:
        LoginNeeded: it has none; `remedy` is what to do then.
    """
    if "access_token" not in told:
        words = told.get("error_description") or told.get("error") or "no token"
        raise LoginNeeded(f"{words}: {remedy}")
    now_s = time.time()
    return Token(told["access_token"], now_s, now_s + float(told.get("expires_in", 60)))


class Renewing:
    """A source that asks again when it is time. Subclasses say how."""

    def __init__(self) -> None:
        self._token: Token | None = None
        self._lock = threading.Lock()
        self._renewing = False

    def _get(self, refused: str) -> Token:
        """A new token; `refused` is one that no longer works, "" if none was.

        Raises:
            LoginNeeded: there is none.
        """
        raise NotImplementedError

    def current(self) -> str:
        """See TokenSource."""
        now_s, token = time.time(), self._token
        if token is None or not token.good(now_s):
            with self._lock:
                if self._token is None or not self._token.good(time.time()):
                    self._token = self._get("")
                return self._token.value
        if token.old(now_s) and not self._renewing:
            self._renewing = True
            threading.Thread(target=self._ahead, name="crossrate-token", daemon=True).start()
        return token.value

    def _ahead(self) -> None:
        try:
            with self._lock:
                if self._token is None or self._token.old(time.time()):
                    self._token = self._get("")
        except LoginNeeded:
            # The token at hand is good for a while; who needs one when it has ended is told.
            pass
        finally:
            self._renewing = False

    def at_hand(self) -> bool:
        """Whether `current` answers without asking anybody."""
        token = self._token
        return token is not None and token.good(time.time())

    def renew(self, refused: str) -> bool:
        """See TokenSource."""
        with self._lock:
            if self._token is not None and self._token.value != refused:
                return True
            try:
                self._token = self._get(refused)
            except LoginNeeded:
                return False
            return True


class ClientCredentials(Renewing):
    """A program that proves a key of its own (private_key_jwt), a certificate of the mesh, or both.

    Args:
        key: its private key, PEM: EC P-256 or Ed25519; None to prove a certificate alone.
        key_id: the `kid` under which the public key is registered.
        certificate: a file with certificate and key of a client of the topology; tokens are bound to it.
    """

    def __init__(
        self,
        target: str | None,
        client_id: str,
        key: bytes | None = None,
        *,
        key_id: str = "1",
        certificate: Path | None = None,
        ca: bytes | str | Path | None = None,
    ) -> None:
        super().__init__()
        self._endpoint = Endpoint(target, ca, certificate)
        self._client_id, self._key, self._key_id = client_id, key, key_id

    def _get(self, refused: str) -> Token:
        form = {"grant_type": "client_credentials", "client_id": self._client_id}
        if self._key is not None:
            form |= {
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self._assertion(self._key),
            }
        told = self._endpoint.post("/oauth2/token", form)
        return token_of(told, f"`crossrate clients show {self._client_id}` says how it is registered")

    def _assertion(self, key: bytes) -> str:
        from joserfc import jwt
        from joserfc.jwk import ECKey, OKPKey

        kind: Any = OKPKey if b"BEGIN PRIVATE KEY" in key and _is_ed25519(key) else ECKey
        algorithm = "Ed25519" if kind is OKPKey else "ES256"
        now_s = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._endpoint.issuer,
            "iat": now_s,
            "exp": now_s + ASSERTION_S,
            "jti": str(uuid.uuid4()),
        }
        header = {"alg": algorithm, "kid": self._key_id}
        return jwt.encode(header, claims, kind.import_key(key), algorithms=[algorithm])


def _is_ed25519(key: bytes) -> bool:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return isinstance(load_pem_private_key(key, None), Ed25519PrivateKey)


class ApiKey(Renewing):
    """An API key's secret ("xrk_…"), exchanged for tokens."""

    def __init__(self, target: str | None, secret: str, *, ca: bytes | str | Path | None = None) -> None:
        super().__init__()
        found = re.fullmatch(r"xrk_(k-[a-z0-9]{16})\.[A-Za-z0-9_-]{20,}", secret)
        if not found:
            raise ValueError("this is no API key: it begins with xrk_k-")
        self._endpoint, self._key_id, self._secret = Endpoint(target, ca), found[1], secret

    def _get(self, refused: str) -> Token:
        told = self._endpoint.post("/oauth2/token", {"grant_type": "client_credentials"}, (self._key_id, self._secret))
        return token_of(told, "the key may be revoked or too old: `crossrate keys list`")


# Logins that are kept


def logins_folder() -> Path:
    """Where logins are kept: in the state folder that CROSSRATE_STATE names, else in the person's own state."""
    if state := os.environ.get("CROSSRATE_STATE"):
        return Path(state).resolve() / "logins"
    own = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(own) / "crossrate" / "logins"


def login_file(target: str) -> Path:
    """The file of a login at a mesh."""
    return logins_folder() / (re.sub(r"[^A-Za-z0-9.-]", "_", target) + ".json")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a login alone among the programs of a person: a refresh token that two use ends the session."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep_login(target: str, told: dict[str, Any], ca_pem: bytes | None) -> None:
    """Keeps what a login got, for all programs of this person on this machine."""
    path = login_file(target)
    with _locked(path):
        _write(path, _content(told) | {"target": target, "ca": ca_pem.decode() if ca_pem else ""})


def _content(told: dict[str, Any]) -> dict[str, Any]:
    token = token_of(told, "log in again")
    return {
        "access_token": token.value,
        "begin_s": token.begin_s,
        "end_s": token.end_s,
        "refresh_token": told.get("refresh_token", ""),
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(content) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def kept_login(target: str) -> dict[str, Any] | None:
    """What is kept of a login at a mesh."""
    try:
        content = json.loads(login_file(target).read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("refresh_token") else None


def forget_login(target: str) -> None:
    """Forgets it."""
    login_file(target).unlink(missing_ok=True)


class StoredLogin(Renewing):
    """A login that a person made on this machine; programs share it."""

    def __init__(self, target: str, *, ca: bytes | str | Path | None = None) -> None:
        super().__init__()
        self._target = target
        kept = (kept_login(target) or {}).get("ca", "")
        self._endpoint = Endpoint(target, ca if ca is not None else (kept.encode() or None))

    def _get(self, refused: str) -> Token:
        path, remedy = login_file(self._target), "`crossrate login` begins a new session"
        with _locked(path):
            kept = kept_login(self._target)
            if kept is None:
                raise LoginNeeded(f"nobody is logged in to {self._target}: {remedy}")
            token = Token(kept["access_token"], kept["begin_s"], kept["end_s"])
            now_s = time.time()
            if token.value != refused and token.good(now_s) and not token.old(now_s):
                return token
            form = {
                "grant_type": "refresh_token",
                "refresh_token": kept["refresh_token"],
                "client_id": COMMAND_LINE,
            }
            told = self._endpoint.post("/oauth2/token", form)
            if told.get("error") == "invalid_grant":
                forget_login(self._target)
                raise LoginNeeded(f"the session at {self._target} is over: {remedy}")
            content = _content(told)
            _write(path, kept | content)
            return Token(content["access_token"], content["begin_s"], content["end_s"])


def stored_login(target: str | None = None, *, ca: bytes | str | Path | None = None) -> StoredLogin | None:
    """The login that is kept for a mesh, None if there is none."""
    target = target or local_target()
    return StoredLogin(target, ca=ca) if kept_login(target) is not None else None


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, not verified: for showing."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
