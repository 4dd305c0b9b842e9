"""The polynomial plan of a layer: all its filters, each a trigonometric polynomial over the same features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile._coefficients import coefficients
from quanvolve.compile._recipe import Recipe, compile_circuit


class PolynomialPlan:
    """Filters that share an encoding; each may have a circuit of its own.

    Args:
        circuits: one circuit for all filters, or one for each.

    Raises:
        PlanError: if a circuit is not a product encoding, or the circuits differ in encoding, weights or outputs.
    """

    name = "polynomial"

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        self.recipes = tuple(compile_circuit(circuit) for circuit in circuits)
        first = self.recipes[0]
        for number, recipe in enumerate(self.recipes):
            same = (
                recipe.sites == first.sites
                and recipe.circuit.weight_shapes == first.circuit.weight_shapes
                and recipe.circuit.threshold == first.circuit.threshold
                and recipe.circuit.n_outputs == first.circuit.n_outputs
            )
            if not same:
                raise PlanError(
                    f"circuit {number} differs from circuit 0 in its encoding, weight shapes or number of outputs; "
                    "the filters of one layer must share these"
                )

    @property
    def recipe(self) -> Recipe:
        """A recipe whose encoding is that of all filters."""
        return self.recipes[0]

    def coefficients(self, weights: Mapping[str, Tensor], like: Tensor, rows: int) -> Tensor:
        """Coefficients of all filters, shape (rows, outputs, features).

        Args:
            weights: for each weight a tensor (rows, *shape).
            like: gives dtype and device where there are no weights.
            rows: number of filters.
        """
        if len(self.recipes) == 1:
            return coefficients(self.recipe, weights, like=like).expand(rows, -1, -1)
        found = [
            coefficients(recipe, {name: w[row : row + 1] for name, w in weights.items()}, like=like)
            for row, recipe in enumerate(self.recipes)
        ]
        return torch.cat(found)

    def __str__(self) -> str:
        sizes = self.recipe.sizes
        n = self.recipe.circuit.n_wires
        kinds = " x ".join(str(size) for size in sizes)
        return (
            f"polynomial: {n} qubit{'s' * (n > 1)} in a product encoding give {self.recipe.n_features} features a "
            f"window ({kinds}); exact, dense coefficients, {len(self.recipes)} "
            f"circuit structure{'s' * (len(self.recipes) > 1)}"
        )
