"""Load on the studio: predictions a second and the slowest hundredth, with and without common batches; memory.

Needs `wrk` (Debian's package of that name) and a trained run:

    quanvolve train mnist --output run
    python benchmarks/studio.py run --output benchmarks/studio.csv
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = """
import sys
from pathlib import Path
from quanvolve.studio import Settings, serve
folder, run, port, batching = sys.argv[1:]
settings = Settings(Path(folder), port=int(port), workers=0, first_model=False, batching=batching == "1")
serve(settings, models=[Path(run)])
"""
REQUEST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [==[{body}]==]
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %.0f %.0f %.0f %.0f %.0f %.0f\\n", summary.requests, summary.duration,
    e.status + e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
"""


@contextmanager
def studio(run: Path, batching: bool) -> Iterator[tuple[str, int]]:
    """A server with that model: the address to predict at, and its process."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", SERVER, folder, str(run), str(port), str(int(batching))]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            for _ in range(600):
                try:
                    (model,) = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/models"))
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/api/v1/models/{model['id']}/predict", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def load(address: str, script: Path, connections: int, seconds: float) -> dict[str, Any]:
    """Ask as fast as the answers come."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", str(script), "--timeout", "30s", address]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count, micros, errors, median, slow, slowest = map(int, re.search(r"RESULT (.*)", said).group(1).split())  # type: ignore[union-attr]
    return {"requests": count, "per_second": count / micros * 1e6, "errors": errors, "median_ms": median / 1e3,
            "p99_ms": slow / 1e3, "max_ms": slowest / 1e3}  # fmt: skip


def resident(pid: int) -> float:
    """MiB of memory of a process."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024  # type: ignore[union-attr]


def main() -> None:
    """Measure, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/studio.csv"))
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=50_000)
    given = parser.parse_args()
    shape = json.loads((given.run / "config.json").read_text())["image_shape"]
    low, high = json.loads((given.run / "config.json").read_text())["input_range"]
    image = [[round(low + (high - low) * ((r * c) % 9) / 9) for c in range(shape[2])] for r in range(shape[1])]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "predict.lua"
        script.write_text(REQUEST.replace("{body}", json.dumps({"images": [image]}).replace(" ", "")))
        with studio(given.run, True) as together, studio(given.run, False) as alone:
            for address, _ in (together, alone):
                load(address, script, 64, 3)
            found: dict[tuple[bool, int], list[dict[str, Any]]] = {}
            for _ in range(given.rounds):
                for connections in (1, 8, 64):
                    for batching, (address, _) in ((True, together), (False, alone)):
                        found.setdefault((batching, connections), []).append(
                            load(address, script, connections, given.seconds)
                        )
            for (batching, connections), values in found.items():
                row = {"what": "load", "batching": batching, "connections": connections}
                medians = {name: round(statistics.median(one[name] for one in values), 3) for name in values[0]}
                rows.append(row | medians | {"errors": sum(one["errors"] for one in values)})
                print(rows[-1])
            address, pid = together
            asked, sizes = 0, [resident(pid)]
            while asked < given.requests:
                asked += load(address, script, 8, 5)["requests"]
                sizes.append(resident(pid))
            rows.append({"what": "memory", "requests": asked, "mib_before": round(sizes[0], 1),
                         "mib_after": round(sizes[-1], 1), "mib_most": round(max(sizes), 1)})  # fmt: skip
            print(rows[-1])
    names = list(dict.fromkeys(name for row in rows for name in row))
    with given.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*names, "cores", "python"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "cores": os.cpu_count(), "python": platform.python_version()})


if __name__ == "__main__":
    main()
