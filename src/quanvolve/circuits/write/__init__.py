"""Circuits with numbers for weights, what is measured together, and OpenQASM: what other programs take."""

from quanvolve.circuits.write._bases import Basis as Basis
from quanvolve.circuits.write._bases import bases_of as bases_of
from quanvolve.circuits.write._bound import RESET as RESET
from quanvolve.circuits.write._bound import Bound as Bound
from quanvolve.circuits.write._bound import BoundGate as BoundGate
from quanvolve.circuits.write._bound import bind as bind
from quanvolve.circuits.write._openqasm import openqasm as openqasm
from quanvolve.circuits.write._openqasm import outputs_in_words as outputs_in_words
from quanvolve.circuits.write._quantum_circuit import quantum_circuit as quantum_circuit
