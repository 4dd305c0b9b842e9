"""A PostgreSQL cluster of its own, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import PATIENCE


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database of a cluster that is made, started and stopped here."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert programs, "these tests need PostgreSQL: install Debian's package postgresql"
    # The server refuses to run as root, and its user must reach its folder.
    folder = Path(tmp_path_factory.mktemp("postgres"))
    as_root = os.geteuid() == 0
    before = ["runuser", "-u", "postgres", "--"] if as_root else []
    home = Path(subprocess.check_output([*before, "mktemp", "-d"], text=True, cwd="/tmp").strip())

    def run(program: str, *arguments: str) -> None:
        command = [*before, str(programs[-1] / program), *arguments]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd="/tmp", timeout=PATIENCE
        )

    port = free_port()
    run("initdb", "-D", str(home / "data"), "-U", "tester", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    patient = ("-w", "-t", f"{PATIENCE:.0f}")
    run("pg_ctl", "-D", str(home / "data"), "-l", str(home / "log"), *patient, "-o", options, "start")
    try:
        yield f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", str(home / "data"), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
