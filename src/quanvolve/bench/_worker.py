"""A contender as a process of its own, which answers requests in lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any


class WorkerError(Exception):
    """What a contender could not do, in a line."""


class Worker:
    """A running contender; to be closed, or used in a `with` statement.

    Args:
        python: the interpreter of its environment.
        script: its file.
    """

    def __init__(self, python: Path, script: Path) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (a pipe that nobody reads would stop the process)
        self._answers: queue.Queue[bytes] = queue.Queue()
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV")}
        environment |= {"PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1", "JAX_PLATFORMS": "cpu"}
        try:
            self._process = subprocess.Popen(
                [str(python), str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env=environment,
                # Ctrl-C is for this process, which then ends the others.
                start_new_session=True,
            )
        except OSError as error:
            self._words.close()
            raise WorkerError(f"does not start: {error.strerror or error}") from error
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, seconds: float, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Args:
            seconds: how long to wait.
            request: see `_driver.py`.

        Returns:
            The answer.

        Raises:
            WorkerError: if the contender fails, ends or takes longer.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # an ended process shows itself by an empty answer
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise WorkerError(f"took longer than {seconds:g} s") from None
        if not line:
            raise WorkerError(self._last_words())
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise WorkerError(f"answered {line[:80]!r} instead of JSON") from None
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._words):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def _last_words(self) -> str:
        code = self._process.wait()
        self._words.seek(0)
        lines = [line.strip() for line in self._words.read().decode(errors="replace").splitlines()]
        said = [line for line in lines if line]
        return said[-1] if said else f"ended with code {code}"
