"""Signing keys in use: which sign, which are published, and tokens made and read with them (ES256, joserfc)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from services.identity import jose
from services.identity.domain.session import AUDIENCE
from services.identity.domain.signing_key import Schedule, signing

ALGORITHM = "ES256"
ACCESS_TYPE = "at+jwt"
LEEWAY_S = 30


class NoKey(Exception):
    """There is no key that may sign now."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with its times."""

    schedule: Schedule
    key: ECKey

    @property
    def public(self) -> dict[str, Any]:
        """As the key set shows it."""
        return self.key.as_dict(private=False) | {"kid": self.schedule.key_id, "use": "sig", "alg": ALGORITHM}


def new_key_pem() -> bytes:
    """A new private key, PEM."""
    return ECKey.generate_key("P-256", private=True).as_pem(private=True)


def new_key_id() -> str:
    """An id for it; sorts nowhere, says nothing."""
    return secrets.token_hex(8)


class Signer:
    """The keys of this mesh as an instance knows them."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._keys: dict[str, SigningKey] = {}

    def take(self, keys: Iterable[tuple[Schedule, bytes]]) -> None:
        """Knows these keys (PEM) and no others."""
        known = self._keys
        self._keys = {
            schedule.key_id: SigningKey(
                schedule, known[schedule.key_id].key if schedule.key_id in known else ECKey.import_key(pem)
            )
            for schedule, pem in keys
        }

    @property
    def schedules(self) -> list[Schedule]:
        """The times of all keys."""
        return [key.schedule for key in self._keys.values()]

    def key_set(self, now_s: float) -> dict[str, Any]:
        """The JSON Web Key Set of what is published."""
        ordered = sorted(self._keys.values(), key=lambda k: k.schedule.sign_s, reverse=True)
        return {"keys": [key.public for key in ordered if key.schedule.published(now_s)]}

    def sign(self, claims: dict[str, Any], typ: str, now_s: float) -> str:
        """A token.

        Raises:
            NoKey: no key may sign now.
        """
        chosen = signing(self.schedules, now_s)
        if chosen is None:
            raise NoKey("there is no key that may sign now")
        header = {"alg": ALGORITHM, "kid": chosen.key_id, "typ": typ}
        return jwt.encode(header, claims, self._keys[chosen.key_id].key, algorithms=[ALGORITHM])

    def read(self, token: str, now_s: float, *, typ: str = ACCESS_TYPE, late: bool = False) -> dict[str, Any]:
        """The claims of a token of ours that is good by itself; sessions and grants are the caller's to ask for.

        Args:
            typ: ACCESS_TYPE, or "jwt" for an ID token, whose audience is the caller's to check.
            late: whether one that has expired is taken, to know whose it was.

        Raises:
            jose.Refused: it is not.
        """
        header, claims = jose.looked_at(token, (ALGORITHM,), typ)
        key = self._keys.get(header.get("kid", ""))
        if key is None or not key.schedule.published(now_s):
            raise jose.Refused("the key is not ours")
        try:
            claims = jwt.decode(token, key.key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            raise jose.Refused(f"the signature is wrong: {type(error).__name__}") from None
        if claims.get("iss") != self.issuer:
            raise jose.Refused("the issuer is another")
        if typ == ACCESS_TYPE and claims.get("aud") != AUDIENCE:
            raise jose.Refused("the audience is another")
        if not late and jose.number(claims, "exp") <= now_s:
            raise jose.Refused("it has expired")
        if claims.get("nbf") is not None and jose.number(claims, "nbf") > now_s + LEEWAY_S:
            raise jose.Refused("it is not good yet")
        jose.word(claims, "sub")
        jose.word(claims, "sid")
        return claims
