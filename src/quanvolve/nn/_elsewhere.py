"""The circuits of a layer in the terms of other programs."""

from __future__ import annotations

from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.analysis import Channel, Row
from quanvolve.circuits import qnode_of, quantum_circuit
from quanvolve.nn._rows import WithRows


class WithOtherPrograms(WithRows):
    """The part of a layer that hands its circuits on."""

    def qnode(self, channel: int, in_channel: int | None = None) -> Any:
        """The circuit of an output channel as a QNode of PennyLane, with the weights that the layer has now.

        Args:
            channel: the number of the output channel, from 0.
            in_channel: where the channel is a sum of circuits, one for each input channel that it reads: which one.

        Returns:
            A QNode of one argument, `inputs`: the pixels that the circuit reads, shape (inputs,) or (windows, inputs),
            which it multiplies with the layer's scale. Its value is the channel's on this window, or the part of the
            sum that this input channel has, without the layer's bias; it is exact even where the layer has shots.

        Raises:
            QuanvolveError: if there is no such channel, the channel is a sum and `in_channel` is not given, or the
                circuit's value is not an expectation value.

        Examples:
            >>> import pennylane as qp
            >>> import torch
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 4, 2, circuit="basic_entangler", n_layers=1, seed=0)
            >>> node, window = layer.qnode(2), torch.rand(4)
            >>> bool(abs(node(window) - layer(window.reshape(1, 2, 2))[2]) < 1e-6)
            True
            >>> qp.specs(node)(window)["resources"].num_gates
            12
        """
        output_channel, row = self._row_of(channel, in_channel)
        return qnode_of(row.circuit, row.weights, row.scale.tolist(), output_channel.measured)

    def quantum_circuit(self, channel: int, in_channel: int | None = None) -> Any:
        """The circuit of an output channel as a `QuantumCircuit` of Qiskit, with the weights that the layer has now.

        Args:
            channel: the number of the output channel, from 0.
            in_channel: where the channel is a sum of circuits, one for each input channel that it reads: which one.

        Returns:
            A circuit whose parameters are the `ParameterVector` "inputs", the pixels that it reads. The value that the
            channel is stands in its `metadata`, as "observable" for `SparsePauliOp.from_list`; noise channels are left
            out, and the layer's bias is not in it.

        Raises:
            QuanvolveError: if Qiskit is not installed, there is no such channel, the channel is a sum and `in_channel`
                is not given, or Qiskit's expressions of parameters cannot say how angles come from pixels.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> weights = [[[[0.5, 1.5]]]]
            >>> layer = Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, scale=1.0, weights=weights)
            >>> written = layer.quantum_circuit(1)
            >>> print(written)
                 ┌───────────────┐┌─────────┐
            q_0: ┤ Ry(inputs[0]) ├┤ Rx(0.5) ├──■──
                 ├───────────────┤├─────────┤┌─┴─┐
            q_1: ┤ Ry(inputs[1]) ├┤ Rx(1.5) ├┤ X ├
                 └───────────────┘└─────────┘└───┘
            >>> written.metadata["observable"]
            [['ZI', 1.0]]
        """
        output_channel, row = self._row_of(channel, in_channel)
        name = f"channel{channel}" if in_channel is None else f"channel{channel}_of{in_channel}"
        return quantum_circuit(row.circuit, row.weights, row.scale.tolist(), output_channel.measured, name)

    def _row_of(self, channel: int, in_channel: int | None) -> tuple[Channel, Row]:
        output_channel = self.channel(channel)
        channels = [number for row in output_channel.rows for number in row.in_channels]
        if in_channel is None:
            if len(output_channel.rows) > 1:
                raise QuanvolveError(
                    f"channel {channel} is a sum of circuits, one for each of the input channels {channels}: say which "
                    "one with `in_channel`"
                )
            return output_channel, output_channel.rows[0]
        for row in output_channel.rows:
            if in_channel in row.in_channels:
                return output_channel, row
        raise QuanvolveError(
            f"`in_channel` (={in_channel!r}) must be one of the input channels that channel {channel} reads: {channels}"
        )
