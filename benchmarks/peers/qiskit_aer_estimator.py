"""Qiskit Aer's estimator: the windows of a batch as parameter values of one circuit."""

import numpy as np
import qiskit
import qiskit_aer
from _driver import Contender, serve
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, depolarizing_error
from qiskit_aer.primitives import EstimatorV2, SamplerV2


class Aer(Contender):
    batches = (64, 256, 1024)

    def versions(self):
        return f"qiskit {qiskit.__version__}, qiskit-aer {qiskit_aer.__version__}"

    def forward(self, problem):
        inputs = ParameterVector("x", problem.kernel**2)
        circuit = QuantumCircuit(problem.n_wires)
        for name, wires, angles in problem.bound(inputs, problem.weights):
            if name == "ROT":
                circuit.u(angles[1], angles[2], angles[0], *wires)
            else:
                getattr(circuit, {"CNOT": "cx"}.get(name, name.lower()))(*angles, *wires)
        if problem.shots:
            return [("SamplerV2", np.float64, self._drawn(problem, circuit))]
        options = {"default_precision": 0.0}
        if problem.noise:
            # Aer mixes in the identity: p of its channel leaves X, Y and Z with p / 4 each.
            share = 4 / 3 * problem.noise
            model = NoiseModel()
            one, two = depolarizing_error(share, 1), depolarizing_error(share, 1).tensor(depolarizing_error(share, 1))
            model.add_all_qubit_quantum_error(one, ["rx", "ry", "rz"])
            model.add_all_qubit_quantum_error(two, ["cx"])
            options |= {"backend_options": {"method": "density_matrix", "noise_model": model}}
        used = [parameter.index for parameter in circuit.parameters]
        measured = [SparsePauliOp.from_sparse_list([("Z", [w], 1.0)], problem.n_wires) for w in range(problem.n_wires)]
        estimator = EstimatorV2(options=options)

        def run(windows):
            job = estimator.run([(circuit, [[one] for one in measured], windows[:, used])])
            return job.result()[0].data.evs

        return [("", np.float64, run)]

    def _drawn(self, problem, circuit):
        measured = circuit.copy()
        measured.measure_all()
        used = [parameter.index for parameter in circuit.parameters]
        sampler = SamplerV2()

        def run(windows):
            result = sampler.run([(measured, windows[:, used])], shots=problem.shots).result()
            bits = np.unpackbits(result[0].data.meas.array, axis=-1)[..., ::-1][..., : problem.n_wires]
            return 1.0 - 2.0 * bits.mean(axis=1).T

        return run

    def values(self, output):
        return np.asarray(output).T


if __name__ == "__main__":
    serve(Aer())
