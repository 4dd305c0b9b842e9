"""Qiskit Aer's estimator: all windows of a batch as parameter sets of one circuit."""

import numpy as np
import qiskit
import qiskit_aer
from _driver import serve
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.primitives import EstimatorV2


class Contender:
    quantum = True
    batches = (1 / 4, 1)

    def versions(self):
        return f"qiskit {qiskit.__version__}, qiskit-aer {qiskit_aer.__version__}"

    def forward(self, problem):
        inputs = ParameterVector("x", problem.kernel**2)
        circuit = QuantumCircuit(problem.n_wires)
        names = {"CNOT": "cx"}
        for (name, wires, _), angle in zip(problem.gates, problem.angles(inputs, problem.weights), strict=True):
            gate = getattr(circuit, names.get(name, name.lower()))
            if angle is None:
                gate(*wires)
            else:
                gate(angle, *wires)
        used = [parameter.index for parameter in circuit.parameters]
        measured = [SparsePauliOp.from_sparse_list([("Z", [w], 1.0)], problem.n_wires) for w in range(problem.n_wires)]
        estimator = EstimatorV2(options={"default_precision": 0.0})

        def run(images, count=None):
            windows = problem.windows(images)[:count][:, used]
            job = estimator.run([(circuit, [[one] for one in measured], windows.astype(float))])
            return np.asarray(job.result()[0].data.evs).T

        return run


if __name__ == "__main__":
    serve(Contender())
