"""Numbers about a layer: its formulas, what its channels read, whether its weights do anything."""

from quanvolve.analysis._audit import Audit as Audit
from quanvolve.analysis._audit import LayerAudit as LayerAudit
from quanvolve.analysis._audit import audit as audit
from quanvolve.analysis._audit import effective_rank as effective_rank
from quanvolve.analysis._channel_circuits import ChannelCircuit as ChannelCircuit
from quanvolve.analysis._channel_circuits import channel_circuits as channel_circuits
from quanvolve.analysis._channel_circuits import coherent_trees as coherent_trees
from quanvolve.analysis._channel_circuits import quantum_layers as quantum_layers
from quanvolve.analysis._filter_circuits import FilterCircuit as FilterCircuit
from quanvolve.analysis._filter_circuits import filter_circuits as filter_circuits
from quanvolve.analysis._formula import Formula as Formula
from quanvolve.analysis._formula import layer_formula as layer_formula
from quanvolve.analysis._layer_view import LayerView as LayerView
from quanvolve.analysis._layer_view import WindowsView as WindowsView
from quanvolve.analysis._reading import Reading as Reading
from quanvolve.analysis._reading import reading as reading
from quanvolve.analysis._rows import Channel as Channel
from quanvolve.analysis._rows import Row as Row
