"""PostgreSQL from the system's packages."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import asyncpg

from deploy.local.errors import LocalError
from deploy.local.postgres_binaries import installed_binaries
from deploy.local.programs import Program, account, is_root

ROLE = DATABASE = PASSWORD = "dwell"  # noqa: S105 - it listens on loopback only

# PostgreSQL refuses to run as root; the package brings this account.
ACCOUNT = "postgres"

# For homes that this account cannot reach, such as one under /root.
REACHABLE = Path("/var/lib/dwellstream")

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No Unix socket: its path would break the 107 byte limit in a deep home, and nothing here uses it.
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class Postgres:
    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        self._link = home / "postgres"

    def prepare(self) -> None:
        if not (self._link / "PG_VERSION").exists():
            self._create()

    def program(self) -> Program:
        # INT asks for the fast shutdown: TERM would wait for every client to leave.
        return Program("postgres", self.command(), user=_account(), stop_signal="INT", stop_seconds=20)

    def command(self) -> tuple[str, ...]:
        data = self._link.resolve()
        settings = [f"-c{name}={value}" for name, value in (SETTINGS | {"port": str(self.port)}).items()]
        return (str(binaries(data) / "postgres"), "-D", str(data), *settings)

    async def answers(self) -> None:
        await postgres_answers(f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{self.port}/{DATABASE}")

    def _create(self) -> None:
        """Make the cluster beside its final place and put it there when whole: a killed attempt leaves nothing."""
        data = self._place()
        fresh = data.with_name(data.name + ".new")
        for directory in (fresh, data):
            shutil.rmtree(directory, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if user := _account():
            shutil.chown(fresh, user, user)
        initdb = binaries() / "initdb"
        _run((str(initdb), "-D", str(fresh), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-A", "reject"))
        (fresh / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n", encoding="ascii")
        # Single-user mode needs no running server and no superuser password; it takes one statement a line.
        statements = (
            f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{PASSWORD}'\nCREATE DATABASE {DATABASE} OWNER {ROLE}\n"
        )
        _run((str(initdb.with_name("postgres")), "--single", "-D", str(fresh), "postgres"), statements)
        fresh.rename(data)
        if data != self._link:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(data)
            _note(data).write_bytes(os.fsencode(self._link.absolute()))

    def _place(self) -> Path:
        """The home's own folder, or a link's target elsewhere where the server's account cannot reach the home."""
        self._link.parent.mkdir(parents=True, exist_ok=True)
        if _reaches(self._link.parent):
            return self._link
        REACHABLE.mkdir(mode=0o755, exist_ok=True)
        _remove_abandoned()
        return REACHABLE / hashlib.sha256(os.fsencode(self._link.absolute())).hexdigest()[:16]


def _note(place: Path) -> Path:
    """Where it is written which link leads to the data."""
    return place.with_name(f"{place.name}.link")


def _remove_abandoned() -> None:
    """Data whose home was deleted, and the link with it: they must not outlive it, nor fill the disk."""
    for note in REACHABLE.glob("*.link"):
        place = note.with_suffix("")
        if not Path(os.fsdecode(note.read_bytes())).is_symlink():
            shutil.rmtree(place, ignore_errors=True)
            note.unlink(missing_ok=True)


async def postgres_answers(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        await connection.fetchval("SELECT 1")
    finally:
        await connection.close()


def binaries(data: Path | None = None) -> Path:
    """The folder of PostgreSQL's programs: of the version that made `data` where there is one, else the newest."""
    wanted = (data / "PG_VERSION").read_text(encoding="ascii").strip() if data else None
    found = installed_binaries()
    for version, folder in found.items():
        if wanted in (None, version):
            return folder
    if wanted:
        raise LocalError(f"{data} was made by PostgreSQL {wanted}, which is not installed: install postgresql-{wanted}")
    raise LocalError("PostgreSQL's server is not installed: install the package postgresql")


def _account() -> str | None:
    if not is_root():
        return None
    if account(ACCOUNT) is None:
        raise LocalError(f"PostgreSQL does not run as root and there is no account {ACCOUNT}: install postgresql")
    return ACCOUNT


def _reaches(directory: Path) -> bool:
    """Whether the server's account may enter the directory, asked of the system and not worked out from modes."""
    user = _account()
    if user is None:
        return True
    return (
        subprocess.run(("test", "-x", str(directory)), user=user, group=user, extra_groups=[], check=False).returncode
        == 0
    )


def _run(command: tuple[str, ...], text: str = "") -> None:
    user = _account()
    finished = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    if finished.returncode:
        lines = finished.stderr.strip().splitlines()
        raise LocalError(f"{Path(command[0]).name} failed: {lines[-1] if lines else finished.returncode}")
