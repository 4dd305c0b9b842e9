"""What error mitigation gains on calibrated filters, and where it fails.

    python benchmarks/mitigation.py

calibrates filters on a fake backend with and without readout inversion and zero-noise extrapolation, and writes
`mitigation.csv` beside this file: the error of each filter's values, as root mean square over windows with independent,
uniform angles, in units of the ideal values' own.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np

from quanvolve.backends import Cache, PennyLaneBackend, QiskitBackend, calibrate, extrapolate, mitigate
from quanvolve.circuits import named_circuit

HERE = Path(__file__).parent
FILTERS = {
    "random, 1 layer": ("random", 1),
    "basic_entangler, 2 layers": ("basic_entangler", 2),
    "strongly_entangling, 1 layer": ("strongly_entangling", 1),
    "strongly_entangling, 2 layers": ("strongly_entangling", 2),
    "strongly_entangling, 4 layers": ("strongly_entangling", 4),
}
SCALES = (1, 3, 5)
METHODS = ("linear", "richardson", "exponential")
COLUMNS = (
    "filter", "two-qubit gates", "shots", "seeds", "mitigation", "error", "shot noise of it", "settings",
)  # fmt: skip


def size(coefficients: np.ndarray, columns: np.ndarray) -> float:
    """Root mean square of values over uniform angles, where the functions are orthogonal with mean squares of 1/2."""
    return float(np.sqrt((coefficients**2 * 0.5 ** (columns > 0).sum(1)).sum(1).mean()))


def forms(circuit, weights, backend, cache) -> dict[str, tuple[np.ndarray, np.ndarray, int]]:
    """Coefficients, their standard errors, and the settings that ran, by form of mitigation."""
    options = {"held_out": 1, "cache": cache}
    plain = mitigate(circuit, weights, backend, readout=False, scales=SCALES, **options)
    both = mitigate(circuit, weights, backend, readout=True, scales=SCALES, **options)
    one, more = len(plain.raw.settings), 16
    found = {
        "none": (plain.raw.coefficients, plain.raw.errors, one),
        "readout": (both.scaled[0].coefficients, both.scaled[0].errors, one + more),
    }
    for method in METHODS:
        for name, own, extra in ((f"zne, {method}", plain, 0), (f"readout and zne, {method}", both, more)):
            values, errors = ([getattr(fit, what) for fit in own.scaled] for what in ("coefficients", "errors"))
            value, error = extrapolate(SCALES, np.stack(values), np.stack(errors), method)
            found[name] = (value, error, len(SCALES) * one + extra)
    return found


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="fake_manila")
    parser.add_argument("--shots", default="4096,65536")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "mitigation.csv")
    given = parser.parse_args()
    exact = PennyLaneBackend("default.qubit")
    rows = []
    for name, (ansatz, layers) in FILTERS.items():
        for shots in map(int, given.shots.split(",")):
            errors: dict[str, list[tuple[float, float, int]]] = {}
            gates = []
            for seed in range(given.seeds):
                circuit = named_circuit(ansatz, 4, n_layers=layers, seed=seed)
                rng = np.random.default_rng(seed)
                weights = {key: rng.uniform(0, 2 * np.pi, shape) for key, shape in circuit.weight_shapes}
                backend = QiskitBackend(given.backend, shots=shots, seed=seed)
                gates.append(backend.transpiled(circuit).two_qubit_gates)
                ideal = calibrate(circuit, weights, exact, held_out=1)
                whole = size(ideal.coefficients, ideal.columns)
                with tempfile.TemporaryDirectory() as folder:
                    for form, (value, error, count) in forms(circuit, weights, backend, Cache(folder)).items():
                        off = size(value - ideal.coefficients, ideal.columns) / whole
                        errors.setdefault(form, []).append((off, size(error, ideal.columns) / whole, count))
            for form, own in errors.items():
                off, noise, count = (float(np.mean([row[k] for row in own])) for k in range(3))
                rows.append({
                    "filter": name, "two-qubit gates": f"{np.mean(gates):.0f}", "shots": shots, "seeds": given.seeds,
                    "mitigation": form, "error": f"{off:.4f}", "shot noise of it": f"{noise:.4f}",
                    "settings": f"{count:.0f}",
                })  # fmt: skip
                print(rows[-1], flush=True)
            with given.output.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    main()
