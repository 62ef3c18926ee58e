"""Locks, one-time codes, keys' times, redirect URIs, key sets, claims: rules without a clock of their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from pyotp import TOTP

from services.identity.domain.access import Access
from services.identity.domain.client import (
    Authentication,
    Client,
    problems_of_keys,
    problems_of_redirect,
)
from services.identity.domain.device import ALPHABET, CODE_CHARS, normal, shown
from services.identity.domain.person import FREE_FAILURES, LOCK_S_MAX, Person, State, failed, lock_s, problems_of
from services.identity.domain.session import Bearer, Session, access_claims, acr_of, issue_time, rate_class_of
from services.identity.domain.signing_key import Schedule, due, following, signing
from services.identity.domain.totp import accepted_step
from services.identity.settings import Settings

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ADA = Person("ada", "main", State.ACTIVE, Access(), NOW, NOW)


def test_failures_lock_longer_and_longer_up_to_an_hour() -> None:
    """Four are free; from the fifth on each lock is twice as long as the one before."""
    person, locks = ADA, []
    for _ in range(20):
        person = failed(person, NOW)
        locks.append(lock_s(person, NOW))
    assert locks[: FREE_FAILURES - 1] == [0] * (FREE_FAILURES - 1)
    assert locks[FREE_FAILURES - 1 : FREE_FAILURES + 3] == [30, 60, 120, 240]
    assert max(locks) == LOCK_S_MAX
    assert person.locked(NOW)
    assert not person.locked(NOW + timedelta(seconds=LOCK_S_MAX))


@pytest.mark.parametrize(
    ("password", "good"),
    [("short", False), ("x" * 12, False), ("ada-is-my-name", False), ("y" * 300, False), ("plum tree at dusk", True)],
)
def test_passwords_are_long_and_not_the_name(password: str, good: bool) -> None:
    """Twelve characters, not one again and again, without the name."""
    assert (problems_of(password, "ada") == "") is good


@given(st.integers(0, 2_000_000_000), st.integers(-3, 3))
def test_a_code_is_taken_one_step_around_now_and_never_again(now_s: int, steps: int) -> None:
    """RFC 6238 with a drift of one step; the step that was used, and those before, are refused."""
    generator = TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")

    def code_at(step: int) -> str:
        return generator.generate_otp(step) if step >= 0 else "------"

    step = now_s // 30 + steps
    code = code_at(step)
    found = accepted_step(code, now_s, -1, code_at)
    if abs(steps) <= 1 and step >= 0:
        assert found is not None
        assert code_at(found) == code
        assert accepted_step(code, now_s, found, code_at) is None
    elif found is not None:
        assert code_at(found) == code, "two steps may have the same code"


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=8), st.integers(0, 2000))
def test_there_is_always_one_key_that_signs_and_is_published(moments: list[int], now_s: int) -> None:
    """Keys are made at any times: from the first on, one signs; what signed before is published until its last token
    has ended; a key never signs before it was published for the lead."""
    lead, token, leeway = 30, 300, 30
    keys: dict[str, Schedule] = {}
    for number, moment in enumerate(sorted(moments)):
        first = not any(key.published(moment) for key in keys.values())
        new = Schedule(f"k{number:02}", moment, moment if first else moment + lead)
        keys |= {old.key_id: old for old in following(new, keys.values(), token, leeway)}
        keys[new.key_id] = new
    if now_s < min(moments):
        assert signing(keys.values(), now_s) is None
        return
    chosen = signing(keys.values(), now_s)
    assert chosen is not None
    assert chosen.published(now_s)
    assert chosen.published(now_s + token), "what it signs now is verified until it ends"
    assert due(keys.values(), now_s, 10_000) is False or now_s >= min(moments) + 10_000


REGISTERED = Client(
    "web",
    "main",
    Authentication.NONE,
    NOW,
    redirect_uris=("https://fx.example/callback", "http://127.0.0.1/callback", "http://[::1]:80/x"),
)


@pytest.mark.parametrize(
    ("uri", "may"),
    [
        ("https://fx.example/callback", True),
        ("https://fx.example/callback/", False),
        ("https://fx.example:8443/callback", False),
        ("https://FX.example/callback", False),
        ("http://127.0.0.1:1/callback", True),
        ("http://127.0.0.1:65535/callback", True),
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:65536/callback", False),
        ("http://127.0.0.1:x/callback", False),
        ("http://127.0.0.1:/callback", False),
        ("http://u@127.0.0.1:5000/callback", False),
        ("http://127.0.0.1:5000/callback#f", False),
        ("http://127.0.0.1:5000/callback?q", False),
        ("http://127.1:5000/callback", False),
        ("https://127.0.0.1:5000/callback", False),
        ("http://[::1]:5000/x", True),
        ("http://localhost:5000/callback", False),
    ],
)
def test_a_redirect_uri_is_the_registered_one(uri: str, may: bool) -> None:
    """Letter by letter; on a loopback address the port may differ."""
    assert REGISTERED.may_return_to(uri) is may


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("https://fx.example/cb", True),
        ("http://127.0.0.1/cb", True),
        ("http://fx.example/cb", False),
        ("https://fx.example/cb#x", False),
        ("https://u:p@fx.example/cb", False),
        ("https://*.example/cb", False),
        ("javascript:alert(1)", False),
        ("https:///cb", False),
        ("https://fx.example/a b", False),
        ("http://localhost/cb", False),
    ],
)
def test_what_can_be_registered(uri: str, good: bool) -> None:
    """https, or http on loopback; no fragment, user, wildcard."""
    assert (problems_of_redirect(uri) == "") is good


def keys(*found: dict) -> str:
    """A key set."""
    return json.dumps({"keys": list(found)})


def public(key, **more) -> dict:
    """A public key with a name."""
    return key.as_dict(private=False) | {"kid": "1"} | more


def test_key_sets_have_public_keys_of_few_kinds() -> None:
    """P-256, Ed25519 and RSA of 2,048 bits pass; private parts, secrets, other curves and names that stand twice do
    not."""
    ec, ed, rsa = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)
    for good in (public(ec), public(ed), public(rsa), public(ec, alg="ES256", use="sig")):
        assert problems_of_keys(keys(good)) == ""
    bad = [
        keys(),
        keys(ec.as_dict(private=True) | {"kid": "1"}),
        keys(public(ec), public(ed)),
        keys(ec.as_dict(private=False) | {"kid": ""}),
        keys(public(ec, use="enc")),
        keys(public(ec, alg="HS256")),
        keys(OctKey.generate_key(256).as_dict() | {"kid": "1"}),
        keys(public(ECKey.generate_key("P-384"))),
        keys(public(OKPKey.generate_key("X25519"))),
        keys(public(RSAKey.generate_key(1024))),
        "[]",
        "{",
        '{"keys": [1]}',
        '{"keys": {}}',
        '{"keys": [], "keys": []}',
        keys(*(public(ec, kid=str(n)) for n in range(9))),
    ]
    for text in bad:
        assert problems_of_keys(text) != "", text


@given(st.text(ALPHABET, min_size=CODE_CHARS, max_size=CODE_CHARS), st.booleans())
def test_a_device_s_code_is_read_as_people_type_it(code: str, small: bool) -> None:
    """With or without hyphen and spaces, in small or capital letters."""
    typed = shown(code)
    assert normal(typed.lower() if small else typed) == normal(f" {code} ") == code


@pytest.mark.parametrize("typed", ["", "BBBB", "BBBB-BBBA", "BBBBBBBBB", "bbbb bbb1"])
def test_what_can_be_no_code_is_none(typed: str) -> None:
    """Other letters, vowels, digits, other lengths."""
    assert normal(typed) == ""


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_token_is_later_than_the_last_change(now_s: int, until: int) -> None:
    """`iat` is now, or one second after the change if that is later."""
    issued = issue_time(now_s, until)
    assert issued > until
    assert issued == max(now_s, until + 1)


def test_claims_say_what_was_granted_and_no_more() -> None:
    """All instruments are no claim at all, none is an empty one; a bound token names its certificate."""
    session = Session("s", "ada", "cli", ("pwd", "otp"), "2", 5, 5, 1000)
    for instruments, claim in ((("*",), None), ((), []), (("EUR/USD",), ["EUR/USD"])):
        bearer = Bearer("ada", "Ada", "main", Access.of(["trader"], ["a*"], instruments))
        said = access_claims(session, bearer, issuer="i", now_s=10, life_s=300, token_id="t", certificate="c")
        assert said.get("instruments") == claim
        assert (said["exp"], said["roles"], said["accounts"]) == (310, ["trader"], ["a*"])
        assert said["cnf"] == {"x5t#S256": "c"}


@pytest.mark.parametrize(
    ("roles", "given"),
    [
        ((), "standard"),
        (("viewer",), "low"),
        (("auditor",), "standard"),
        (("viewer", "auditor"), "standard"),
        (("viewer", "trader", "auditor"), "high"),
    ],
)
def test_roles_give_a_person_a_class_of_rates(roles: tuple[str, ...], given: str) -> None:
    """The largest of those that the settings name for his roles; what they do not know does not start."""
    settings = Settings(rate_class_by_role={"viewer": "low", "trader": "high"})
    assert rate_class_of(roles, settings.rate_class_by_role) == given
    for wrong in ({"boss": "high"}, {"viewer": "highest"}):
        with pytest.raises(ValueError, match="no role or class"):
            Settings(rate_class_by_role=wrong)


@pytest.mark.parametrize(
    ("methods", "acr"),
    [(("pwd",), "1"), (("pwd", "otp"), "2"), (("pwd", "hwk"), "2"), (("swk",), "1"), (("otp",), "1"), ((), "1")],
)
def test_two_factors_are_a_password_and_another(methods: tuple[str, ...], acr: str) -> None:
    """A key or a code alone is one."""
    assert acr_of(methods) == acr
