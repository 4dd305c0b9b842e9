"""Qiskit Aer's estimator: the windows of a batch as parameter values of one circuit."""

import numpy as np
import qiskit
import qiskit_aer
from _driver import Contender, serve
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.primitives import EstimatorV2


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
        used = [parameter.index for parameter in circuit.parameters]
        measured = [SparsePauliOp.from_sparse_list([("Z", [w], 1.0)], problem.n_wires) for w in range(problem.n_wires)]
        estimator = EstimatorV2(options={"default_precision": 0.0})

        def run(windows):
            job = estimator.run([(circuit, [[one] for one in measured], windows[:, used])])
            return job.result()[0].data.evs

        return [("", np.float64, run)]

    def values(self, output):
        return np.asarray(output).T


if __name__ == "__main__":
    serve(Aer())
