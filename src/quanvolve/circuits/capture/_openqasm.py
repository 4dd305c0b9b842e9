"""Programs in OpenQASM as sources of descriptions; those that this package writes say what their outputs are."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stderr
from typing import Any

from quanvolve._errors import CaptureError, QuanvolveError
from quanvolve._qiskit import import_qiskit
from quanvolve.circuits.capture._qiskit import from_qiskit, source_of_circuit
from quanvolve.circuits.capture._qiskit_parameters import numbered_name
from quanvolve.circuits.capture._source import Source
from quanvolve.circuits.description import Observable

_HEAD = re.compile(r"(?:\s|//[^\n]*\n|/\*.*?\*/)*OPENQASM\s+(\d+)", re.DOTALL)
_OUTPUT = re.compile(r"^// output \d+: (.*)$", re.MULTILINE)
_LETTER, _BIT = re.compile(r"([XYZ]) of q\[(\d+)\]"), re.compile(r"q\[(\d+)\] = ([01])")
_PROBABILITY = "the probability of "


def is_openqasm(text: object) -> bool:
    """Whether it is a program in OpenQASM: text that begins with this word, after comments.

    Examples:
        >>> is_openqasm("// a bell pair\\nOPENQASM 3.0;"), is_openqasm("strongly_entangling")
        (True, False)
    """
    return isinstance(text, str) and _HEAD.match(text) is not None


def from_openqasm(text: str, *, inputs: Any = None, observables: Any = None) -> Source:
    """A program in OpenQASM 2 or 3, for the `circuit` of a layer.

    Parameters are what the program declares as ``input float[64]`` or ``input angle``, which version 3 has. Those with
    a common name and numbers, such as a0 and a1, or a_0 and a_1, are a vector, in the order of the numbers.

    Args:
        text: of the program.
        inputs: which parameters the window sets: the name of a vector, or a list of names of parameters, as in
            :func:`from_qiskit`. If not given, those called "inputs", "x" or "input".
        observables: what is measured, as in :func:`from_qiskit`. If not given, what the comments of a program that
            :func:`quanvolve.circuits.openqasm` wrote say of its outputs; without such comments, the outcomes of the
            bits that the program measures; without measurements, Z on each qubit.

    Raises:
        CaptureError: if the text is not a program that Qiskit can read, with its line, or cannot be captured.

    References:
        Cross et al., Open Quantum Assembly Language, arXiv:1707.03429 (2017), for version 2, and ACM Trans. Quantum
        Comput. 3, 12 (2022), arXiv:2104.14722, for version 3.

    Examples:
        >>> text = '''
        ... OPENQASM 3.0;
        ... include "stdgates.inc";
        ... input float[64] x_0;
        ... input float[64] x_1;
        ... input float[64] tilt;
        ... qubit[2] q;
        ... ry(pi * x_0) q[0];
        ... ry(pi * x_1) q[1];
        ... rx(tilt) q[1];
        ... cx q[0], q[1];
        ... '''
        >>> from_openqasm(text)
        Source(name='OpenQASM', program='Qiskit', n_wires=2, n_inputs=2, weight_shapes={'tilt': ()})
    """
    circuit = _read(text)
    vectors = _vectors(circuit)
    renamed = {old.name: new.name for old, new in vectors.items()}
    circuit = circuit.assign_parameters(vectors)
    circuit.name = "OpenQASM"
    if isinstance(inputs, list | tuple):
        inputs = [renamed.get(parameter, parameter) for parameter in inputs]
    said = _OUTPUT.findall(text) if observables is None else []
    if said:
        return source_of_circuit(circuit, inputs, tuple(_observable(words) for words in said))
    return from_qiskit(circuit, inputs=inputs, observables=observables)


def _read(text: str) -> Any:
    match = _HEAD.match(text)
    version = match[1] if match else None
    if version not in ("2", "3"):
        raise CaptureError(
            f"the text is not OpenQASM 2 or 3: it must begin with OPENQASM and the version, it begins {text[:40]!r}"
        )
    try:
        if version == "2":
            qasm2 = import_qiskit("qiskit.qasm2")
            return qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
        with redirect_stderr(io.StringIO()):  # where the parser of version 3 says some of its errors
            return import_qiskit("qiskit.qasm3").loads(text)
    except QuanvolveError:
        raise
    except Exception as error:
        words = str(error).strip("'\"") or _place(error)
        raise CaptureError(f"the OpenQASM program cannot be read: {words.splitlines()[0]}") from error


def _place(error: BaseException | None) -> str:
    """Where the parser of version 3 gave up, which its error does not say."""
    while error is not None:
        for cause in (error, *error.args):
            token = getattr(cause, "offendingToken", None)
            if token is not None:
                return f"line {token.line}, column {token.column}: {token.text!r} is not expected there"
        error = error.__cause__ or error.__context__
    return "it is not valid"


def _vectors(circuit: Any) -> dict[Any, Any]:
    """Parameters with a common name and numbers, and the entries of vectors that take their place."""
    vector_of = import_qiskit("qiskit.circuit").ParameterVector
    groups: dict[str, list[tuple[int, Any]]] = {}
    for parameter in circuit.parameters:
        name, number = numbered_name(parameter.name)
        if number >= 0:
            groups.setdefault(name, []).append((number, parameter))
    vectors = {}
    for name, members in groups.items():
        if len(members) > 1:
            members.sort(key=lambda pair: pair[0])
            entries = vector_of(name, len(members))
            vectors.update({parameter: entries[k] for k, (_, parameter) in enumerate(members)})
    return vectors


def _observable(words: str) -> Observable:
    """What :func:`quanvolve.circuits.outputs_in_words` says of an output.

    Raises:
        CaptureError: if it is not an expectation value or a probability.
    """
    if words.startswith(_PROBABILITY):
        return Observable((), outcome=tuple((int(wire), int(bit)) for wire, bit in _BIT.findall(words)))
    terms = []
    for term in words.split(" + "):
        factor, _, product = term.rpartition(" * ")
        word = tuple((int(wire), letter) for letter, wire in _LETTER.findall(product))
        if product != (" times ".join(f"{letter} of q[{wire}]" for wire, letter in word) or "1"):
            raise CaptureError(
                f"the program says that an output is {words!r}, which is not an expectation value: give `observables`"
            )
        terms.append((float(factor or 1.0), word))
    return Observable(tuple(terms))
