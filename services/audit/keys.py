"""The keys that sign checkpoints: private in files of mode 0600 of the state folder, public as facts of the log."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from crossrate.api.audit.v1 import audit_events_pb2, checkpoint_pb2
from crossrate.store.database import Database
from crossrate.transparency.note import Signer
from crossrate.transparency.witness import write_secret
from services.audit.store.log import Log

BEGINNING = "the log begins"


class KeyMissing(RuntimeError):
    """The private key of a public one that the log names is not here; the message says where it should be."""


class Keys:
    """Keys of the log, oldest first."""

    def __init__(self, folder: Path, origin: str, database: Database, log: Log) -> None:
        self._folder = folder
        self._origin = origin
        self._database = database
        self._log = log

    async def begin(self) -> None:
        """Makes the first key with the log, and writes the public keys where people find them.

        Raises:
            StoreUnavailable: the database is away.
            KeyMissing: see there.
        """
        if not await self.known():
            await self.rotate("crossrate", BEGINNING)
        self._newest(await self.known())

    async def known(self) -> list[checkpoint_pb2.VerifierKey]:
        """All keys, as the log has them."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT number, key, since_index FROM signing_key ORDER BY number")
        return [checkpoint_pb2.VerifierKey(**row) for row in rows]

    async def rotate(self, actor: str, comment: str, extra=None) -> checkpoint_pb2.VerifierKey:
        """Makes the next key, and the fact that says so.

        Args:
            actor: who asks for it.
            comment: why.
            extra: further work of the transaction, with the connection and the key.

        Raises:
            StoreUnavailable, OutcomeUnknown: as `Log.append`.
        """
        known = await self.known()
        number = len(known) + 1
        signer = self._prepared(number)
        previous = known[-1].key if known else ""
        fact = audit_events_pb2.SigningKeyRotated(
            number=number, key=str(signer.verifier), previous_key=previous, actor=actor, comment=comment
        )
        made = checkpoint_pb2.VerifierKey(number=number, key=fact.key)

        async def keep(connection: asyncpg.Connection, index: int) -> None:
            made.since_index = index
            await connection.execute("INSERT INTO signing_key VALUES ($1, $2, $3)", number, fact.key, index)
            if extra is not None:
                await extra(connection, made)

        await self._log.append((), {}, own=[fact], keys=(f"person:{actor}",), action=keep)
        return made

    def signers(self, known: list[checkpoint_pb2.VerifierKey], previous_size: int, size: int) -> list[Signer]:
        """Who signs a checkpoint: the newest key, and the one before if this is the first that covers the change.

        Raises:
            KeyMissing: see there.
        """
        covered = [key for key in known if key.since_index < size]
        signers = [self._newest(covered)]
        fresh = [key for key in covered if key.since_index >= previous_size and key.number > 1]
        return [self._read(covered[fresh[0].number - 2]), *signers] if fresh else signers

    def _newest(self, known: list[checkpoint_pb2.VerifierKey]) -> Signer:
        for key in known:
            public = self._folder / f"{key.number}.pub"
            if not public.exists():
                public.write_text(key.key + "\n")
        return self._read(known[-1])

    def _read(self, key: checkpoint_pb2.VerifierKey) -> Signer:
        path = self._folder / f"{key.number}.key"
        if not path.exists():
            raise KeyMissing(
                f"{path} is not there: it has the private key of {key.key.partition('+')[0]}, number {key.number}"
            )
        signer = Signer.parse(path.read_text())
        if str(signer.verifier) != key.key:
            raise KeyMissing(f"{path} has another key than the log names; put the right one back, or begin a new log")
        return signer

    def _prepared(self, number: int) -> Signer:
        """The key of a number: as an attempt before has left it, or new."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{number}.key"
        if not path.exists():
            write_secret(path, Signer.generate(self._origin, 1).secret + "\n")
        return Signer.parse(path.read_text())
