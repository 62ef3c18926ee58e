"""The mesh's own certificate authority, for machines without another: EC P-256, SPIFFE ids, TLS 1.3.

Root keys lie in one file that only its owner reads; the keys of workloads exist in memory alone. A new root comes in
two steps: first both are trusted, and when every proxy knows it, certificates come from the new one; the old is dropped
when nothing that it signed is in use. Between the steps certificates are followed by the new root's key signed by the
old root, so that clients of the edge that only have the old one go on.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crossrate.runtime.durable import write_private
from services.control.state import KeyPair

BACKDATED = dt.timedelta(seconds=5)
"""How long before its making a certificate is valid, for clocks that are slow."""
EDGE_NAMES = ("localhost",)
EDGE_ADDRESSES = ("127.0.0.1", "::1")


class RootRotationError(Exception):
    """A step of a root's rotation was asked for that cannot be taken now; the message says why."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key and what is in it."""

    identity: str
    pair: KeyPair
    serial: str
    issuer: str
    not_before: dt.datetime
    not_after: dt.datetime

    @property
    def half_life(self) -> dt.datetime:
        """When it is to be replaced."""
        return self.not_before + (self.not_after - self.not_before) / 2


@dataclass(frozen=True, slots=True)
class Root:
    """A root certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def serial(self) -> str:
        """In hexadecimal."""
        return f"{self.certificate.serial_number:x}"

    @property
    def name(self) -> str:
        """Common name."""
        return _common_name(self.certificate.subject)

    @property
    def pem(self) -> str:
        """The certificate."""
        return _pem(self.certificate)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _name(common_name: str, organization: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: Root | None,
    signing_key: ec.EllipticCurvePrivateKey,
    not_before: dt.datetime,
    not_after: dt.datetime,
) -> x509.Certificate:
    issuer_key = signer.certificate.public_key() if signer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        # A root may sign one authority below it: its successor.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0 if signer else 1), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
    return builder.sign(signing_key, hashes.SHA256())


class Authority:
    """The roots that are trusted and the one that signs. A change is on disk before it counts."""

    def __init__(self, path: Path, trust_domain: str, roots: list[Root], signer_serial: str, cross_pem: str) -> None:
        self._path = path
        self._trust_domain = trust_domain
        self._roots = roots
        self._signer_serial = signer_serial
        self._cross_pem = cross_pem

    @classmethod
    def open(cls, path: Path, trust_domain: str, root_lifetime_s: int, now: dt.datetime) -> Authority:
        """The authority kept in a file, which is made with a new root if it does not exist.

        Raises:
            ValueError: the file is not an authority's.
            PermissionError: the file may be read by others than its owner.
        """
        if not path.exists():
            authority = cls(path, trust_domain, [], "", "")
            root = authority._new_root(root_lifetime_s, now)
            authority._roots, authority._signer_serial = [root], root.serial
            authority._save()
            return authority
        if path.stat().st_mode & 0o077:
            raise PermissionError(f"{path} holds the mesh's root keys but others may read it: chmod 600 {path}")
        kept = json.loads(path.read_text())
        roots = []
        for entry in kept["roots"]:
            key = serialization.load_pem_private_key(entry["key"].encode(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{path} holds a key that is not an elliptic curve's")
            roots.append(Root(x509.load_pem_x509_certificate(entry["certificate"].encode()), key))
        return cls(path, trust_domain, roots, kept["signer"], kept["cross"])

    def _save(self) -> None:
        kept = {
            "roots": [{"certificate": r.pem, "key": _key_pem(r.key)} for r in self._roots],
            "signer": self._signer_serial,
            "cross": self._cross_pem,
        }
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path, json.dumps(kept, indent=1))

    def _new_root(self, lifetime_s: int, now: dt.datetime) -> Root:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"{self._trust_domain} root {now:%Y-%m-%d %H:%M:%S}", self._trust_domain)
        not_after = now + dt.timedelta(seconds=lifetime_s)
        certificate = _authority_certificate(subject, key.public_key(), None, key, now - BACKDATED, not_after)
        return Root(certificate, key)

    @property
    def signer(self) -> Root:
        """The root that signs."""
        return next(r for r in self._roots if r.serial == self._signer_serial)

    @property
    def roots(self) -> tuple[Root, ...]:
        """The roots that are trusted, newest first."""
        return tuple(self._roots)

    @property
    def roots_pem(self) -> str:
        """Their certificates."""
        return "".join(r.pem for r in self._roots)

    def begin(self, root_lifetime_s: int, now: dt.datetime) -> None:
        """Trusts a new root beside the old one, which still signs. A second call, after one that was broken off before
        `switch`, changes nothing.

        Raises:
            RootRotationError: a rotation has begun and awaits its end.
        """
        if len(self._roots) > 1:
            if self._signer_serial == self._roots[0].serial:
                raise RootRotationError("a new root signs already; finish its rotation before another begins")
            return
        old = self.signer
        new = self._new_root(root_lifetime_s, now)
        until = min(old.certificate.not_valid_after_utc, new.certificate.not_valid_after_utc)
        public = new.key.public_key()
        cross = _authority_certificate(new.certificate.subject, public, old, old.key, now - BACKDATED, until)
        self._roots, self._cross_pem = [new, old], _pem(cross)
        self._save()

    def switch(self) -> None:
        """From now on the newest root signs; every proxy has to trust it by now."""
        self._signer_serial = self._roots[0].serial
        self._save()

    def finish(self) -> None:
        """Drops the old root; nothing that it signed may be in use.

        Raises:
            RootRotationError: no rotation has begun, or the old root still signs.
        """
        if len(self._roots) < 2:
            raise RootRotationError("there is one root only; begin a rotation first")
        if self._signer_serial != self._roots[0].serial:
            raise RootRotationError("the old root still signs; begin the rotation again")
        self._roots, self._cross_pem = self._roots[:1], ""
        self._save()

    def issue(self, identity: str, lifetime_s: int, now: dt.datetime) -> Issued:
        """A workload's certificate for a SPIFFE id, for both sides of a connection."""
        san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(identity, san, usages, lifetime_s, now)

    def issue_client(self, identity: str, lifetime_s: int, now: dt.datetime) -> Issued:
        """The certificate of a client of the edge, for its side of a connection alone."""
        san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        return self._issue(identity, san, [ExtendedKeyUsageOID.CLIENT_AUTH], lifetime_s, now)

    def issue_edge(self, lifetime_s: int, now: dt.datetime) -> Issued:
        """The certificate that the edge shows to clients."""
        names = [x509.DNSName(name) for name in EDGE_NAMES]
        addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in EDGE_ADDRESSES]
        san = x509.SubjectAlternativeName([*names, *addresses])
        return self._issue(EDGE_NAMES[0], san, [ExtendedKeyUsageOID.SERVER_AUTH], lifetime_s, now)

    def _issue(
        self,
        identity: str,
        san: x509.SubjectAlternativeName,
        usages: list[x509.ObjectIdentifier],
        lifetime_s: int,
        now: dt.datetime,
    ) -> Issued:
        key, root = ec.generate_private_key(ec.SECP256R1()), self.signer
        not_before = max(now - BACKDATED, root.certificate.not_valid_before_utc)
        not_after = min(now + dt.timedelta(seconds=lifetime_s), root.certificate.not_valid_after_utc)
        issuer_key = root.key.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(identity.rpartition("/")[2], self._trust_domain))
            .issuer_name(root.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(san, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
            .sign(root.key, hashes.SHA256())
        )
        return Issued(
            identity=identity,
            pair=KeyPair(_pem(certificate) + self._cross_pem, _key_pem(key)),
            serial=f"{certificate.serial_number:x}",
            issuer=root.name,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
