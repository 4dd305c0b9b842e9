"""What a model runs on a device: its layers, their circuits, and the windows that these read."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from quanvolve._errors import QuanvolveError
from quanvolve.backends._backend import Backend
from quanvolve.backends._settings import Floats, check_circuit
from quanvolve.circuits import Circuit
from quanvolve.nn import CoherentTree, QuanvNd


@dataclass(frozen=True)
class Row:
    """One circuit of a layer, its weights as arrays, and the group, and channel of the group, that it reads."""

    circuit: Circuit
    weights: dict[str, Floats]
    group: int
    channel: int

    @property
    def key(self) -> tuple[object, ...]:
        """What its values depend on, beside the window."""
        return self.circuit, *(self.weights[name].tobytes() for name, _ in self.circuit.weight_shapes)


def rows_of_layer(layer: QuanvNd) -> list[Row]:
    """The circuits of a layer in the order of its rows (groups, filters, channels)."""
    rows = []
    for row in layer.rows():
        weights = {name: weight.detach().cpu().double().clone().numpy() for name, weight in row.weights.items()}
        rows.append(Row(row.circuit, weights, row.group, row.part))
    return rows


def all_layers_of(model: nn.Module) -> dict[str, QuanvNd | CoherentTree]:
    """All quantum layers of a model by name, each once; a layer that is the model itself has the name "".

    Raises:
        QuanvolveError: if it has none.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, QuanvNd | CoherentTree)}
    if not layers:
        raise QuanvolveError(f"the model ({type(model).__name__}) has no quantum layer to run on a device")
    return layers


def layers_of(model: nn.Module) -> dict[str, QuanvNd]:
    """The same for models whose quantum layers are filters.

    Raises:
        QuanvolveError: if it has none, or has others.
    """
    layers = {}
    for name, layer in all_layers_of(model).items():
        if isinstance(layer, CoherentTree):
            where = f"the layer {name!r}" if name else "the model"
            raise QuanvolveError(
                f"{where} is a CoherentTree, whose circuit is one of a whole image: it has no filters whose settings "
                "could be measured, fitted or mitigated one by one; on_backend() and run_tree() run it as it is, and "
                "the layer itself can have noise, exactly"
            )
        layers[name] = layer
    return layers


def rows_of_model(model: nn.Module) -> list[Row]:
    """The circuits of all quantum layers of a model, in the order of layers and rows.

    Raises:
        QuanvolveError: if it has none.
    """
    return [row for layer in layers_of(model).values() for row in rows_of_layer(layer)]


def replace_layers(
    model: nn.Module,
    make: Callable[[QuanvNd], nn.Module],
    make_tree: Callable[[CoherentTree], nn.Module] | None = None,
) -> nn.Module:
    """A copy of a model in evaluation mode with every quantum layer replaced, one that occurs twice by the same.

    Args:
        model: any torch module with quantum layers.
        make: what takes the place of a filter.
        make_tree: what takes the place of a coherent tree; without it, trees are refused.

    Raises:
        QuanvolveError: if it has none.
    """
    if make_tree is None:
        layers_of(model)
    whole = copy.deepcopy(model).eval()
    made: dict[nn.Module, nn.Module] = {}
    for layer in all_layers_of(whole).values():
        if isinstance(layer, QuanvNd):
            made[layer] = make(layer)
        elif make_tree is not None:
            made[layer] = make_tree(layer)
    if whole in made:
        return made[whole].eval()
    for name, module in list(whole.named_modules(remove_duplicate=False)):
        if module in made:
            parent, _, last = name.rpartition(".")
            setattr(whole.get_submodule(parent), last, made[module])
    return whole.eval()


def check_layers(
    layers: dict[str, QuanvNd], backend: Backend | None, also: Iterable[Callable[[Circuit], object]] = ()
) -> None:
    """Ask about every circuit of every layer before the first one runs, so that nothing is paid for in vain.

    Args:
        layers: by name.
        backend: where they are to run; None for whatever is refused everywhere.
        also: further checks, which raise.

    Raises:
        QuanvolveError: naming the layer, if the backend cannot run one of its circuits, or a check refuses it.
    """
    checks: list[Callable[[Circuit], object]] = [*also, lambda circuit: check_runs(circuit, backend)]
    asked: set[Circuit] = set()
    for name, layer in layers.items():
        for circuit in dict.fromkeys(layer.circuits):
            if circuit in asked:
                continue
            asked.add(circuit)
            try:
                for check in checks:
                    check(circuit)
            except QuanvolveError as error:
                where = f"the layer {name!r} ({type(layer).__name__})" if name else f"the {type(layer).__name__}"
                raise QuanvolveError(f"{where} cannot run there: {error} (no circuit has run)") from error


def check_runs(circuit: Circuit, backend: Backend | None) -> None:
    """Raise unless a backend (None: some backend) can run a circuit, as far as that can be told without running it.

    Raises:
        QuanvolveError: if it cannot.
    """
    check_circuit(circuit, "a device" if backend is None else backend.name)
    check = getattr(backend, "check", None)
    if check is not None:
        check(circuit)


def windows_of(layer: QuanvNd, batch: Tensor) -> Tensor:
    """What the circuits read, in float64: shape (images, groups, channels, *places, inputs).

    Args:
        layer: whose windows they are.
        batch: from ``layer.batched``.
    """
    windows = layer.windows(batch.double())
    flat = windows.view().flatten(3 + windows.dims)
    if isinstance(windows.scale, Tensor):
        scale = windows.scale.double()
        flat = flat * scale.reshape(1, *scale.shape[:2], *(1,) * windows.dims, scale.shape[-1])
    else:
        flat = flat * windows.scale
    return flat.cpu()
