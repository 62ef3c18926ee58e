"""The vault, forms and limits: what is sealed opens with its key alone, and what comes in is bounded."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity import jose
from services.identity.vault import Vault, VaultError, digest, new_secret
from services.identity.web.forms import BadForm, parsed
from services.identity.web.limits import ADDRESSES_MAX, Buckets


def test_what_is_sealed_opens_for_its_purpose_with_its_key(tmp_path: Path) -> None:
    """Another purpose, another key and a changed byte do not open it; the file is private and stays the same."""
    path = tmp_path / "folder" / "vault.key"
    vault = Vault.open(path)
    sealed = vault.seal(b"secret", "totp ada")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Vault.open(path).unseal(sealed, "totp ada") == b"secret"
    assert vault.seal(b"secret", "totp ada") != sealed
    for other, purpose, content in (
        (vault, "totp bob", sealed),
        (Vault(bytes(32)), "totp ada", sealed),
        (vault, "totp ada", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (vault, "totp ada", b""),
    ):
        with pytest.raises(VaultError):
            other.unseal(content, purpose)


def test_a_vault_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """As is one that is no key."""
    path = tmp_path / "vault.key"
    Vault.open(path)
    path.chmod(0o640)
    with pytest.raises(VaultError, match="can be read by others"):
        Vault.open(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(VaultError, match="is no key"):
        Vault.open(path)


def test_secrets_differ() -> None:
    """256 bits each, and a digest that says nothing of them."""
    made = {new_secret("x_") for _ in range(1000)}
    assert len(made) == 1000
    assert len({digest(secret) for secret in made}) == 1000


@given(st.text(max_size=300))
def test_a_form_is_fields_or_an_error(text: str) -> None:
    """Whatever comes: each name once, or BadForm."""
    try:
        found = parsed(text)
    except BadForm:
        return
    assert all(isinstance(value, str) and "\x00" not in value for value in found.values())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_comes_as_a_token_is_looked_at_or_refused(raw: bytes) -> None:
    """No text makes the first look fail in another way."""
    with pytest.raises(jose.Refused):
        jose.looked_at(raw.decode("latin-1"), ("ES256",), None)


def test_buckets_fill_evenly_and_forget() -> None:
    """Sixty a minute are one a second; another address has its own; memory is bounded."""
    now = [0.0]
    buckets = Buckets(60, lambda: now[0])
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == pytest.approx(1.0)
    assert buckets.take("b") == 0.0
    now[0] += 1.0
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0.0
    for number in range(ADDRESSES_MAX + 10):
        buckets.take(str(number))
    assert len(buckets._levels) == ADDRESSES_MAX
