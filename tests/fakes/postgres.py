"""A real PostgreSQL of the session's own, on a Unix socket in a temporary folder (Debian: postgresql)."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from controller.adapters.store import schema, tables


def programs() -> Path | None:
    """The folder of the newest server's programs, None where none is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """One server. Root runs it as the user postgres, since it refuses to run as root."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._revision = ""
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._run("initdb", "-D", folder / "data", "-U", "gdcc", "--auth=trust", "--no-sync", "--encoding=UTF8")
        self.start()

    def start(self) -> None:
        options = f"-c fsync=off -c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        self._run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        """At once, as a crash would."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Every process of the server stands still, its sessions stay connected."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for it, bare."""
        return self._run("psql", "-h", self.folder, "-U", "gdcc", "-d", database, "-Atqc", statement).strip()

    def url(self, database: str) -> str:
        return f"postgresql://gdcc@/{database}?host={self.folder}"

    def new_journal(self) -> str:
        """The address of an empty, upgraded journal; the one before is no more."""
        if not self._revision:
            self.sql("CREATE DATABASE journal")
            schema.upgrade(self.url("journal"))
            self._revision = self.sql("SELECT version_num FROM alembic_version", "journal")
        emptied = ", ".join(table.name for table in tables.metadata.sorted_tables)
        self.sql(f"TRUNCATE {emptied}; UPDATE alembic_version SET version_num = '{self._revision}'", "journal")
        return self.url("journal")

    def name(self, url: str) -> str:
        """The database of an address."""
        return str(make_url(url).database)

    @contextlib.contextmanager
    def held(self, table: str, url: str) -> Iterator[None]:
        """Another session has the table to itself."""
        with create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool).connect() as other:
            other.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            yield
            other.rollback()

    def _run(self, program: str, *words: object) -> str:
        command = [str(self._programs / program), *map(str, words)]
        with tempfile.TemporaryFile("w+") as heard:  # no pipe: the server would keep it open
            done = subprocess.run(
                command, user=self._user, cwd=self.folder, check=False, env={"PATH": "/usr/bin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL, stdout=heard, stderr=subprocess.STDOUT,
            )  # fmt: skip
            heard.seek(0)
            said = heard.read()
        assert done.returncode == 0, f"{program}: {said}"
        return said


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """One server for the session; the lab's recipe installs it where it is missing."""
    if programs() is None:
        request.getfixturevalue("standing_lab")
    found = programs()
    assert found is not None, "the lab's recipe did not install postgresql"
    folder = Path(tempfile.mkdtemp(prefix="gdcc-pg-", dir="/tmp"))
    server = Postgres(folder, found)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
