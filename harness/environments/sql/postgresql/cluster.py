"""A PostgreSQL server that the harness starts itself, in a folder that is removed with it.

It listens on a socket in a folder that nobody else can enter, so it asks for no passwords. Where the harness is root
the server runs under a numeric user of its own, which no sandbox has. It dies with the harness (`setpriv --pdeathsig`),
and what a killed harness left in the folder for temporary files is removed by the next that starts a server.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.environments.protocol import EnvironmentFault
from harness.environments.sandbox.limits import BrokenSandboxError
from harness.environments.sandbox.uids import User, hold_user
from harness.environments.sql.engine import SqlError
from harness.environments.sql.postgresql.programs import server_programs

PREFIX = "harness-pg-"
SUPERUSER = "harness"
START_SECONDS = 60.0
BACKEND_BYTES = 448 * 2**20
"""Address space of one server process, of which the program and what it shares take about a quarter."""
_LONGEST_SOCKET = 107

_SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    # Nothing here outlives the run, so nothing needs to reach a disk.
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "'96MB'", "min_wal_size": "'32MB'",
    "max_connections": "500", "shared_buffers": "'64MB'", "dynamic_shared_memory_type": "mmap",
    # The same history of statements brings the same rows in the same order.
    "autovacuum": "off", "jit": "off", "synchronize_seqscans": "off", "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0", "max_logical_replication_workers": "0",
    # What one statement may use.
    "work_mem": "'8MB'", "maintenance_work_mem": "'32MB'", "temp_file_limit": "'256MB'", "max_stack_depth": "'2MB'",
    "max_prepared_transactions": "0", "max_locks_per_transaction": "128",
    "log_min_messages": "fatal", "log_min_error_statement": "panic", "lc_messages": "'C'",
}  # fmt: skip


@dataclass(frozen=True)
class Owner:
    """Who the server runs as; None where it is whoever the harness is."""

    user: User | None

    @property
    def prefix(self) -> list[str]:
        """What goes before a command that the owner runs."""
        return [] if self.user is None else _as_user(self.user.uid)


def _as_user(uid: int) -> list[str]:
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", "--"]


class Cluster:
    """A running server (`harness.environments.services.Service`)."""

    def __init__(self, folder: Path, lock: int, owner: Owner) -> None:
        """Take over a folder that this process holds."""
        self.folder, self._lock, self._owner = folder, lock, owner
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where libpq finds it."""
        return f"host={self.folder} port=5432 user={SUPERUSER} dbname=postgres"

    @classmethod
    async def start(cls) -> Cluster:
        """Make a cluster and start its server. Raises `SqlError` and `EnvironmentFault`."""
        programs = server_programs()
        if shutil.which("setpriv") is None:
            raise SqlError("engine postgresql needs the program setpriv; get it with: apt install util-linux")
        await asyncio.to_thread(remove_abandoned)
        folder, lock = _held_folder()
        cluster = cls(folder, lock, Owner(None))
        try:
            if os.geteuid() == 0:
                cluster._owner = Owner(hold_user())
            await cluster._make(programs)
            await cluster._run(programs)
        except (OSError, BrokenSandboxError) as error:
            await cluster.close()
            raise EnvironmentFault(f"the PostgreSQL server could not be started: {error}") from None
        except BaseException:
            await cluster.close()
            raise
        return cluster

    async def _make(self, programs: Path) -> None:
        data = self.folder / "data"
        command = [
            str(programs / "initdb"), "-D", str(data), "-U", SUPERUSER, "--auth=trust", "--no-sync", "--encoding=UTF8",
            "--locale=C", "--no-instructions",
        ]  # fmt: skip
        uid = None if self._owner.user is None else self._owner.user.uid
        if uid is not None:
            # initdb wants a user with a name; the server does not, and gets one that nobody else has.
            nobody = pwd.getpwnam("nobody").pw_uid
            os.chown(self.folder, nobody, -1)
            command = _as_user(nobody) + command
        made = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, cwd="/", env=_environment(),
        )  # fmt: skip
        output, _ = await made.communicate()
        if made.returncode != 0:
            raise EnvironmentFault(f"initdb failed: {_last_line(output)}")
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in _SETTINGS.items())
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        if uid is not None:
            await asyncio.to_thread(_give, self.folder, uid)

    async def _run(self, programs: Path) -> None:
        # Address space is bounded for each process of the server, and with it what one statement may take.
        server = [str(programs / "postgres"), "-D", str(self.folder / "data")]
        command = ["prlimit", f"--as={BACKEND_BYTES}", "--core=0", "--", *server]
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *_dying(self._owner), *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=_environment(),
            )  # fmt: skip
        finally:
            os.close(log)
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not await self._answers():
            if self._process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise EnvironmentFault(
                    f"the PostgreSQL server did not start: {_last_line((self.folder / 'log').read_bytes())}"
                )
            await asyncio.sleep(0.02)

    async def _answers(self) -> bool:
        import psycopg

        try:
            connection = await psycopg.AsyncConnection.connect(f"{self.address} connect_timeout=5")
        except psycopg.OperationalError:
            return False
        await connection.close()
        return True

    async def close(self) -> None:
        """Stop the server and remove its folder; may be called twice."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGQUIT)
            try:
                async with asyncio.timeout(15):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._lock >= 0:
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
            Path(f"{self.folder}.lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1
        if self._owner.user is not None:
            self._owner.user.release()


def _dying(owner: Owner) -> list[str]:
    """Run what follows as the owner, and have it stopped at once when the harness is gone."""
    if owner.user is None:
        return ["setpriv", "--pdeathsig=QUIT", "--no-new-privs", "--"]
    return [*owner.prefix[:-1], "--pdeathsig=QUIT", "--"]


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _held_folder() -> tuple[Path, int]:
    """A new folder for temporary files, and the lock that says that its maker lives. Raises `OSError`."""
    short = (p for p in _parents() if len(p) + len(f"/{PREFIX}12345678/.s.PGSQL.5432") <= _LONGEST_SOCKET)
    parent = next(short, None)
    while True:
        lock, name = tempfile.mkstemp(prefix=PREFIX, suffix=".lock", dir=parent)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # taken for an abandoned one by a harness that is just starting
            os.close(lock)
            continue
        if os.fstat(lock).st_nlink == 0:
            os.close(lock)
            continue
        folder = Path(name).with_suffix("")
        folder.mkdir(mode=0o700)
        return folder, lock


def _parents() -> list[str]:
    return list(dict.fromkeys([tempfile.gettempdir(), "/tmp"]))  # noqa: S108 - where the first is too long for a socket


def _give(folder: Path, uid: int) -> None:
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(place) / name, uid, uid, follow_symlinks=False)
    os.chown(folder, uid, uid)


def remove_abandoned() -> list[Path]:
    """Remove folders of clusters whose harness is gone; returns them."""
    removed = []
    for lock in (path for parent in _parents() for path in Path(parent).glob(f"{PREFIX}*.lock")):
        # Other people's are not ours to open, and a harness that starts or ends now is ahead of us.
        with contextlib.suppress(OSError):
            held = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder = lock.with_suffix("")
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink()
                removed.append(folder)
            finally:
                os.close(held)
    return removed


def _last_line(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
