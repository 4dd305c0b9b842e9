"""The polynomial plan of a layer: all its filters, each a trigonometric polynomial over the same features.

    E_j(x) = sum_P T_j[P] prod_q b_q(x_q)[P_q],   T_j[P] = Tr(P U^dagger M_j U) / 2^n,

with b_q the Bloch vector of qubit q after its encoding, a linear map of (1, cos, sin) of the angles that read inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from quanvolve._errors import PlanError
from quanvolve.circuits import Circuit
from quanvolve.compile.batch._rows import arranged
from quanvolve.compile.batch._values import flat_weights
from quanvolve.compile.batch._windows import Windows
from quanvolve.compile.ops._coefficients import coefficients as of_rows
from quanvolve.compile.ops._filters import Steps, filters
from quanvolve.compile.ops._plain import PlainCall, as_one_call, plain
from quanvolve.compile.ops._polynomial import polynomial
from quanvolve.compile.plans._work import Work
from quanvolve.compile.reference._coefficients import coefficients, from_words
from quanvolve.compile.reference._polynomial import evaluate
from quanvolve.compile.tables._coefficients import CoefficientTables
from quanvolve.compile.tables._features import feature_table, padded
from quanvolve.compile.tables._filters import FilterTables
from quanvolve.compile.tables._grid import Grid
from quanvolve.compile.tables._layout import Layout, some_rows
from quanvolve.compile.tables._polynomial import PolynomialTables
from quanvolve.compile.tables._products import Products, products
from quanvolve.compile.tables._recent import Recent
from quanvolve.compile.tables._recipe import Recipe, compile_circuit
from quanvolve.compile.tables._site_words import site_words
from quanvolve.compile.tables._sites import Known
from quanvolve.compile.tables._values import values_of_weights

BLOCK_BYTES = 4 * 2**20
"""Size of the Pauli coefficients that are evolved together; each step of the circuit holds as much again."""


def _block(recipe: Recipe, weights: Mapping[str, Tensor], outputs: slice, again: bool) -> Tensor:
    if not again:
        return coefficients(recipe, weights, outputs=outputs)
    # The steps are computed again in the backward pass: kept for all filters they would fill the memory.
    numbers: Tensor = checkpoint(coefficients, recipe, weights, outputs=outputs, use_reentrant=False)
    return numbers


class PolynomialPlan:
    """Filters that share an encoding; each may have a circuit of its own.

    Args:
        circuits: one circuit for all filters, or one for each.

    Raises:
        PlanError: if a circuit is not a product encoding, or the circuits differ in encoding, weights or outputs.
    """

    name = "polynomial"

    def __init__(self, circuits: Sequence[Circuit]) -> None:
        known: Known = {}
        self.recipes = tuple(compile_circuit(circuit, known) for circuit in circuits)
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
        self._rows: CoefficientTables | None = None
        self._windows = Recent[PolynomialTables]()
        self._few = Recent[Products | None]()
        self._calls = Recent[PlainCall]()
        self._steps = Recent[Steps | None]()

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
        flat = flat_weights(self.recipe, weights, like)
        if self._rows is None and of_rows.on(flat):
            self._rows = CoefficientTables.of_recipes(self.recipes)
        if self._rows is not None and of_rows.takes(self._rows, flat):
            return self._of_words(flat, of_rows.call(self._rows, flat)).expand(rows, -1, -1)
        if weights and as_one_call(flat):
            call = self._plainly(tuple(weights))
            return plain(call, list(weights.values()))
        return self._in_torch(weights, like, rows)

    def _plainly(self, names: tuple[str, ...]) -> PlainCall:
        """The coefficients in plain torch as one call of the weights with these names."""

        def run(weights: Sequence[Tensor]) -> Tensor:
            return self._in_torch(dict(zip(names, weights, strict=True)), weights[0], len(weights[0]))

        def shape(weights: Sequence[Tensor]) -> tuple[int, ...]:
            return len(weights[0]), self.recipe.circuit.n_outputs, self.recipe.n_features

        what_for = (self.name, names, [recipe.circuit for recipe in self.recipes])
        return self._calls.get(names, lambda: PlainCall.shared(what_for, lambda: PlainCall(run, shape)))

    def _in_torch(self, weights: Mapping[str, Tensor], like: Tensor, rows: int) -> Tensor:
        """Blocks of coefficients, one after the other."""
        if not weights:
            numbers = [coefficients(recipe, weights, like=like) for recipe in self.recipes]
            return torch.cat(numbers).expand(rows, -1, -1) if len(numbers) == 1 else torch.cat(numbers)
        total = self.recipe.circuit.n_outputs
        output_bytes = 4**self.recipe.circuit.n_wires * like.element_size()
        fitting = max(1, BLOCK_BYTES // output_bytes)
        # One filter at a time where the circuits differ.
        filters = max(1, fitting // total) if len(self.recipes) == 1 else 1
        outputs = min(fitting, total)
        again = torch.is_grad_enabled() and rows * total * output_bytes > 2 * BLOCK_BYTES
        blocks = []
        for number, recipe in enumerate(self.recipes):
            for start in range(0, rows, filters) if len(self.recipes) == 1 else (number,):
                some = {name: weight[start : start + filters] for name, weight in weights.items()}
                parts = [slice(first, first + outputs) for first in range(0, total, outputs)]
                blocks.append(torch.cat([_block(recipe, some, part, again) for part in parts], dim=1))
        return torch.cat(blocks)

    def _of_words(self, flat: Tensor, words: Tensor) -> Tensor:
        """Coefficients of features, from those of words where features are more than plain Pauli words."""
        if site_words(self.recipe) is not None:
            return words
        layout = Layout(1, len(words), 1, len(words))
        pieces = [
            from_words(self.recipes[block.circuit], some_rows(flat, block.rows), words[block.rows])
            for block in layout.blocks(len(self.recipes))
        ]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def compile(
        self, weights: Mapping[str, Tensor], like: Tensor, layout: Layout, n_windows: int | None
    ) -> tuple[Tensor, ...]:
        """The coefficients, shape (groups, outputs, channels, features); see :class:`Layout`.

        Args:
            weights: for each weight a tensor (rows, *shape).
            like: gives dtype and device where there are no weights.
            layout: of the rows.
            n_windows: ignored: the coefficients are the same for any number of windows.
        """
        return (arranged(self.coefficients(weights, like, layout.rows), layout),)

    def evaluate(self, compiled: tuple[Tensor, ...], windows: Windows, layout: Layout) -> Tensor:
        """Measured values, shape (images, groups, outputs, *places)."""
        if isinstance(windows.scale, Tensor):
            return evaluate(self.recipe, compiled[0], windows)
        return polynomial(self._tables(layout, windows.grid, windows.scale), windows.images, compiled[0])

    def _tables(self, layout: Layout, grid: Grid, scale: float) -> PolynomialTables:
        return self._windows.get(
            (layout, grid, scale),
            lambda: PolynomialTables.for_windows(self.recipes, self.few(layout), layout, grid, scale),
        )

    def at_once(self, weights: Mapping[str, Tensor], windows: Windows, layout: Layout) -> Tensor | None:
        """What :meth:`evaluate` gives of :meth:`compile`, in one step of autograd; None where there is none such.

        Args:
            weights: for each weight a tensor (filters, channels, *shape).
            windows, layout: as there.

        Returns:
            Shape (images, groups * outputs, *places).
        """
        if isinstance(windows.scale, Tensor) or not weights or not len(windows.images):
            return None
        grid, scale = windows.grid, windows.scale
        steps = self._steps.get((layout, grid, scale), lambda: self._in_one(tuple(weights), layout, grid, scale))
        return None if steps is None else filters(steps, windows.images, tuple(weights.values()))

    def _in_one(self, names: tuple[str, ...], layout: Layout, grid: Grid, scale: float) -> Steps | None:
        """Where every feature is a word, and every weight a number of its own."""
        recipe, tables = self.recipe, self._tables(layout, grid, scale)
        simple = recipe.circuit.program is None or not values_of_weights(recipe)
        if site_words(recipe) is None or not simple:
            return None
        if self._rows is None:
            self._rows = CoefficientTables.of_recipes(self.recipes)

        def composed(images: Tensor, weights: Sequence[Tensor]) -> Tensor:
            rows = {name: weight.flatten(0, 1) for name, weight in zip(names, weights, strict=True)}
            compiled = self.compile(rows, weights[0], layout, None)
            return self.evaluate(compiled, Windows.on(images, grid, layout.groups, scale), layout).flatten(1, 2)

        return Steps(FilterTables(self._rows, tables, layout), composed)

    def few(self, layout: Layout) -> Products | None:
        """The products that the polynomials need, or None where evaluating all of them is cheaper."""
        return self._few.get(layout, lambda: products(self.recipes, layout))

    def work(self, layout: Layout) -> tuple[Work, Work]:
        """To compile, and per window, for all rows."""
        recipe = self.recipe
        outputs, n = recipe.circuit.n_outputs, recipe.circuit.n_wires
        evolved = 4.0**n * outputs * layout.rows * (len(recipe.steps) + 2)
        setup = Work.of(self.name, compile=1, evolved_word=evolved)
        channels = layout.groups * layout.channels
        if feature_table(recipe) is None:  # in plain torch
            torch_tiles = recipe.n_features * layout.outputs
            return setup, channels * Work.of(self.name, torch_tile=torch_tiles, torch_reader=n)
        few = self.few(layout)
        if few is not None:
            rows = (len(few.nodes) + len(few.terms)) / channels
            return setup, channels * Work.of(self.name, row=rows, reader=n)
        tiles = padded(layout.outputs, 4) * recipe.n_features
        return setup, channels * Work.of(self.name, tile=tiles, feature=recipe.n_features, reader=n)

    def __str__(self) -> str:
        sizes = self.recipe.sizes
        n = self.recipe.circuit.n_wires
        kinds = " x ".join(str(size) for size in sizes)
        return (
            f"polynomial: {n} qubit{'s' * (n > 1)} in a product encoding give {self.recipe.n_features} features a "
            f"window ({kinds}); exact, {len(self.recipes)} "
            f"circuit structure{'s' * (len(self.recipes) > 1)}"
        )
