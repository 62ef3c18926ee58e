"""Passwords by argon2id (RFC 9106), away from the event loop and a few at a time: each takes 64 MiB for a while."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
WAITING_MAX = 64
"""Who comes on top is told to come again."""


class Busy(Exception):
    """Too many passwords are being checked."""


class Passwords:
    """Hashes and verifies. The parameters are RFC 9106's second recommendation: 3 passes over 64 MiB, 4 lanes."""

    def __init__(self, *, memory_kib: int = 65_536, passes: int = 3) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=4)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        # Nobody's password, so that a name that nobody has takes as long as one that somebody has.
        self._nobody = ""

    async def hash(self, password: str) -> str:
        """The hash with its salt and parameters.

        Raises:
            Busy: too many wait.
        """
        return await self._run(self._hasher.hash, password)

    async def right(self, hashed: str, password: str) -> bool:
        """Whether a password is the one; with an empty hash it never is, and takes as long.

        Raises:
            Busy: too many wait.
        """
        if not hashed:
            self._nobody = self._nobody or await self.hash("nobody's password")
        return await self._run(self._right, hashed or self._nobody, password) and bool(hashed)

    def outdated(self, hashed: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _right(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work, *arguments):
        if self._waiting >= WAITING_MAX:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
