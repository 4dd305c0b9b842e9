"""Interrupts a command at chosen calls of Python functions; run as ``python -m tests.cli.moments``.

Standard input is JSON: "args" of the command, "again" (those that go on with it), its "folder", "modules" and "shares".
The command runs once undisturbed, and the calls of functions of each module are counted. Then for each module and share
it runs anew, and gets SIGINT at the call with that share of the count; then it is gone on with. Prints a line of JSON
for each. Every command runs in a fork of this process, in which the imports are done.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_HEAVY = (
    "torch._dynamo", "pennylane", "jinja2", "skorch", "matplotlib.figure", "PIL.Image", "quanvolve.cli._app",
    "quanvolve.estimators", "quanvolve.study", "quanvolve.report", "quanvolve.runs._results", "quanvolve.runs._watch",
    "quanvolve.cli._summary",
)  # fmt: skip


def profiler(counts: dict[str, int], module: str, number: int) -> Callable[..., None]:
    """Counts the calls of each module of `counts`; sends SIGINT at one of them, and then counts no more."""
    names = tuple(counts)

    def profile(frame: Any, event: str, argument: Any) -> None:
        if event != "call":
            return
        name = frame.f_globals.get("__name__") or ""
        for one in names:
            if name.startswith(one):
                counts[one] += 1
                if one == module and counts[one] == number:
                    sys.setprofile(None)
                    os.kill(os.getpid(), signal.SIGINT)

    return profile


def run(args: list[str], folder: Path, counts: dict[str, int], module: str = "", number: int = 0) -> dict[str, Any]:
    """The command in a fork: its exit code, what it said on stderr, and the counts if it came to its end."""
    said, counted = folder / "said", folder / "counted"
    counted.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        code = 99
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            from quanvolve import _interrupt
            from quanvolve.cli import main

            def work() -> int:
                sys.setprofile(profiler(counts, module, number))
                try:
                    return main(args)
                finally:
                    sys.setprofile(None)

            signal.signal(signal.SIGINT, signal.default_int_handler)
            _interrupt.listen()
            code = _interrupt.unwinding(work)
            counted.write_text(json.dumps(counts))
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    found: dict[str, Any] = {"code": os.waitstatus_to_exitcode(status), "said": said.read_text()}
    with contextlib.suppress(FileNotFoundError):
        found["counts"] = json.loads(counted.read_text())
    return found


def digests(folder: Path) -> dict[str, str]:
    """What is in the result's files that must not differ between two runs."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.safetensors"))
    }


def main() -> None:
    given = json.loads(sys.stdin.read())
    work, folder = Path(given["work"]), Path(given["folder"])
    for module in (*_HEAVY, *given.get("imports", ())):
        importlib.import_module(module)
    # Once before it counts: what is compiled in the first run comes from a cache in the others.
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        first = run(given["args"], work, dict.fromkeys(given["modules"], 0))
    print(json.dumps({**first, "kept": digests(folder)}), flush=True)
    for module in given["modules"]:
        for share in given["shares"]:
            shutil.rmtree(folder, ignore_errors=True)
            number = 1 + int(share * (first["counts"][module] - 1))
            stopped = run(given["args"], work, {module: 0}, module, number)
            left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.part"))
            again = given["again"] if folder.is_dir() and any(folder.iterdir()) else given["args"]
            after = run(again, work, {})
            print(
                json.dumps(
                    {"module": module, "number": number, "stopped": stopped, "left": left, "after": after,
                     "kept": digests(folder)}
                ),
                flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
