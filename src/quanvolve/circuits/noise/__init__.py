"""Noise in a description: names and strengths, PennyLane's and Qiskit Aer's models, errors of readout."""

from quanvolve.circuits.noise._aer import aer_errors as aer_errors
from quanvolve.circuits.noise._noise import with_noise as with_noise
from quanvolve.circuits.noise._readout import absorbed as absorbed
from quanvolve.circuits.noise._readout import through as through
from quanvolve.circuits.noise._readout import with_readout_errors as with_readout_errors
