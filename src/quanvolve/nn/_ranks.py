"""Layers whose structure was drawn at random, in several processes that train one model together.

Each process would draw circuits of its own, and gradients of one circuit would be averaged with those of another. What
says which circuits a layer has is a buffer, which `DistributedDataParallel` sends from process 0 to all others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import torch
from torch import Tensor, distributed, nn

from quanvolve._errors import QuanvolveError
from quanvolve.circuits import Circuit


class WithRanks(nn.Module):
    """The part of a layer that knows whether other processes have the same circuits."""

    structure: Tensor

    def _register_structure(self, circuits: Sequence[Circuit]) -> None:
        self.register_buffer("structure", torch.tensor(digest(circuits), device="cpu"), persistent=False)

    def _check_structure(self, circuits: Sequence[Circuit]) -> None:
        """Raise where process 0 has drawn other circuits.

        Raises:
            QuanvolveError: with the remedy.
        """
        together = distributed.is_available() and distributed.is_initialized() and not torch.compiler.is_compiling()
        if together and "structure" in self._buffers and int(self.structure) != digest(circuits):
            raise QuanvolveError(
                "process 0 has drawn other random circuits than this one: give the layer a `seed`, the same in all "
                "processes, or load one state_dict in all of them before they are put together"
            )


def digest(circuits: Sequence[Circuit]) -> int:
    """A number that tells circuits apart, the same in all processes."""
    text = json.dumps([circuit.to_dict() for circuit in circuits], allow_nan=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
