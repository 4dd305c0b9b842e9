"""Results of devices on disk, so that nothing is paid for twice."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import numpy as np

from quanvolve._errors import QuanvolveError
from quanvolve.backends._settings import Floats, Measured, Weights
from quanvolve.circuits import Circuit

FILE = "results.sqlite"


class Cache:
    """A folder with the results of all settings that have run.

    SQLite writes each job in a transaction: a process that is killed leaves the jobs before it whole.

    Args:
        folder: made if it is not there.

    Raises:
        QuanvolveError: if its file is not a database of results, or cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Cache(folder).find("key", np.zeros((1, 2)), 4)
        {}
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / FILE
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as database:
                if database.execute("SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger')").fetchone():
                    raise sqlite3.DatabaseError("it has views or triggers, which run what their author wrote")
                database.execute(
                    "CREATE TABLE IF NOT EXISTS results "
                    "(key TEXT, setting BLOB, measured BLOB, PRIMARY KEY (key, setting))"
                )
                database.execute("SELECT key, setting, measured FROM results LIMIT 1").fetchone()
        except (sqlite3.Error, OSError) as error:
            raise _unusable(self.path, error) from error

    @staticmethod
    def key(circuit: Circuit, weights: Weights, identity: str) -> str:
        """What results belong to: a hash of the circuit, its weights and the backend."""
        digest = hashlib.sha256(circuit.to_json().encode())
        for name, _ in circuit.weight_shapes:
            digest.update(np.ascontiguousarray(weights[name], np.float64).tobytes())
        digest.update(identity.encode())
        return digest.hexdigest()

    def find(self, key: str, settings: Floats, n_outputs: int) -> dict[int, tuple[Floats, Floats]]:
        """Values and errors of the settings that are known, by their row.

        Args:
            key: of circuit, weights and backend.
            settings: shape (settings, inputs).
            n_outputs: values that each setting has.

        Raises:
            QuanvolveError: if a result is not as it was written.
        """
        known = {}
        with self._open() as database:
            for row, setting in enumerate(settings):
                entry = database.execute(
                    "SELECT measured FROM results WHERE key = ? AND setting = ?", (key, _bytes(setting))
                ).fetchone()
                if entry is not None:
                    known[row] = self._measured(entry[0], n_outputs)
        return known

    def _measured(self, entry: object, n_outputs: int) -> tuple[Floats, Floats]:
        if isinstance(entry, bytes) and len(entry) == 16 * n_outputs:
            values, errors = np.frombuffer(entry, np.float64).reshape(2, n_outputs)
            if np.isfinite(values).all() and (errors >= 0).all() and np.isfinite(errors).all():
                return values, errors
        raise QuanvolveError(
            f"{self.path} is damaged: a result is not {n_outputs} values and their errors; move it away, or name "
            "another folder"
        )

    def add(self, key: str, settings: Floats, measured: Measured) -> None:
        """Write the results of a job."""
        rows = zip(settings, measured.values, measured.errors, strict=True)
        with self._open() as database:
            database.executemany(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?)",
                [(key, _bytes(setting), _bytes(np.stack([values, errors]))) for setting, values, errors in rows],
            )

    def _open(self) -> _Connection:
        return _Connection(self.path)


class _Connection:
    """A connection that commits and closes."""

    def __init__(self, path: Path) -> None:
        self._path, self._database = path, sqlite3.connect(path, timeout=60)

    def __enter__(self) -> sqlite3.Connection:
        return self._database

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._database.commit()
        finally:
            self._database.close()
        if isinstance(error, sqlite3.Error):
            raise _unusable(self._path, error) from error


def _unusable(path: Path, error: Exception) -> QuanvolveError:
    return QuanvolveError(f"{path} cannot be used as a cache of results: {error}; move it away or name another folder")


def _bytes(numbers: Floats) -> bytes:
    return np.ascontiguousarray(numbers, np.float64).tobytes()
