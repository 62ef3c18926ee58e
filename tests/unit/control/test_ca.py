"""The development certificate authority."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store

from services.control.ca import Authority, Issued, RootRotationError

NOW = dt.datetime(2026, 1, 31, 12, 0, tzinfo=dt.UTC)
YEAR_S = 31_536_000
IDENTITY = "spiffe://crossrate/reference"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the authority is kept."""
    return tmp_path / "control" / "authority.json"


@pytest.fixture
def authority(path: Path) -> Authority:
    """A new one."""
    return Authority.open(path, "crossrate", YEAR_S, NOW)


def leaf(issued: Issued) -> x509.Certificate:
    """The certificate itself, without what follows it."""
    return x509.load_pem_x509_certificates(issued.pair.chain_pem.encode())[0]


def verifies(issued: Issued, roots: list[x509.Certificate]) -> bool:
    """Whether a client that trusts these roots takes the edge's certificate."""
    chain = x509.load_pem_x509_certificates(issued.pair.chain_pem.encode())
    verifier = PolicyBuilder().store(Store(roots)).time(NOW).build_server_verifier(x509.DNSName("localhost"))
    try:
        verifier.verify(chain[0], chain[1:])
    except x509.verification.VerificationError:
        return False
    return True


def test_a_workload_s_certificate_names_its_identity_for_an_hour(authority: Authority) -> None:
    """The one SAN is the SPIFFE id; both sides of a connection may use it; it lasts as long as it was asked for."""
    issued = authority.issue(IDENTITY, 3600, NOW)
    certificate = leaf(issued)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier(IDENTITY)]
    assert certificate.not_valid_after_utc - NOW == dt.timedelta(seconds=3600)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert NOW < issued.half_life < issued.not_after
    assert "PRIVATE KEY" not in repr(issued)


def test_keys_of_workloads_are_nowhere_on_disk(authority: Authority, path: Path) -> None:
    """Issuing writes nothing; the root's key is in one file that only its owner reads."""
    before = path.read_bytes()
    issued = authority.issue(IDENTITY, 3600, NOW)
    assert path.read_bytes() == before
    assert issued.pair.key_pem not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_it_is_the_same_after_a_restart(authority: Authority, path: Path) -> None:
    """Opened again, it has the same root."""
    again = Authority.open(path, "crossrate", YEAR_S, NOW + dt.timedelta(days=1))
    assert again.roots_pem == authority.roots_pem
    path.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        Authority.open(path, "crossrate", YEAR_S, NOW)


def test_the_edge_s_certificate_is_for_this_machine(authority: Authority) -> None:
    """A client that trusts the root and calls localhost takes it."""
    issued = authority.issue_edge(3600, NOW)
    assert verifies(issued, [authority.signer.certificate])
    names = leaf(issued).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_a_new_root_overlaps_with_the_old(authority: Authority, path: Path) -> None:
    """From the beginning of a rotation both roots are trusted, the old one signs until the switch, and a client with
    either root takes the edge's certificate; after the end only the new one counts."""
    old = authority.signer.certificate
    authority.begin(YEAR_S, NOW)
    assert [r.certificate for r in authority.roots][1] == old
    assert authority.signer.certificate == old
    authority.begin(YEAR_S, NOW)
    assert len(authority.roots) == 2
    authority.switch()
    new = authority.signer.certificate
    assert new != old
    for roots in ([old], [new], [old, new]):
        assert verifies(authority.issue_edge(3600, NOW), roots)
    with pytest.raises(RootRotationError):
        authority.begin(YEAR_S, NOW)
    reopened = Authority.open(path, "crossrate", YEAR_S, NOW)
    assert reopened.signer.certificate == new
    reopened.finish()
    assert [r.certificate for r in reopened.roots] == [new]
    assert not verifies(reopened.issue_edge(3600, NOW), [old])
    with pytest.raises(RootRotationError):
        reopened.finish()


def test_a_rotation_that_was_broken_off_cannot_be_finished(authority: Authority) -> None:
    """Before the new root signs, the old one cannot be dropped."""
    authority.begin(YEAR_S, NOW)
    with pytest.raises(RootRotationError, match="still signs"):
        authority.finish()


def test_no_certificate_outlives_its_root(path: Path) -> None:
    """A certificate issued near its root's end ends with it."""
    authority = Authority.open(path, "crossrate", 3600, NOW)
    late = NOW + dt.timedelta(seconds=3000)
    assert authority.issue(IDENTITY, 3600, late).not_after == NOW + dt.timedelta(seconds=3600)
