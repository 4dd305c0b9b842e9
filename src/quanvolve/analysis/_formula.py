"""Closed forms: a channel written out as a trigonometric polynomial of the window's pixels."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from quanvolve._errors import PlanError, QuanvolveError
from quanvolve.analysis._channel_circuits import ChannelCircuit, channel_circuits
from quanvolve.analysis._fourier import fourier_terms
from quanvolve.analysis._terms import Factor, Part, Term, sum_text
from quanvolve.circuits import factor_text, value_texts

if TYPE_CHECKING:
    import sympy

    from quanvolve.analysis._layer_view import LayerView
    from quanvolve.compile import Recipe, Site

Spectrum = dict[tuple[float, ...], complex]
_MOST = 500_000
"""Exponentials that a spectrum is summed from."""
_SAME = 12
"""Decimals to which frequencies are equal."""


class Formula(str):
    """The closed form of a channel: its text, and what that consists of.

    Attributes:
        channel: its number.
        terms: a coefficient and cosines and sines each, those with fewer factors first.
        error: no window's value differs from the layer's by more, apart from rounding: the sum of the coefficients that
            were left out.
        n_pixels: of the window, all input channels together.

    Examples:
        >>> from quanvolve import Quanv2d
        >>> layer = Quanv2d(1, 2, (1, 2), circuit="basic_entangler", n_layers=1, weights=[[[[0.3, 0.0]]]])
        >>> formula = layer.formula(1)
        >>> formula, formula.degree, formula.frequencies
        ('ch1 = 0.9553 cos(pi x0) cos(pi x1)', 2, ((3.14159265359,), (3.14159265359,)))
    """

    channel: int
    terms: tuple[Term, ...]
    error: float
    n_pixels: int
    _digits: int

    def __new__(
        cls, channel: int, terms: Sequence[Term], *, n_pixels: int, error: float = 0.0, digits: int = 4
    ) -> Formula:
        """A formula of these terms; use :meth:`quanvolve.Quanv2d.formula`."""
        made = super().__new__(cls, f"ch{channel} = {sum_text(terms, digits)}")
        made.channel, made.terms, made.error, made.n_pixels, made._digits = (
            channel, tuple(terms), error, n_pixels, digits
        )  # fmt: skip
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[int, tuple[Term, ...]], dict[str, Any]]:
        options = {"n_pixels": self.n_pixels, "error": self.error, "digits": self._digits}
        return (self.channel, self.terms), options

    @property
    def degree(self) -> int:
        """The most pixels, or functions of pixels, that a term multiplies; 1 for a Fourier series."""
        return max((len(term.factors) for term in self.terms), default=0)

    @property
    def pixels(self) -> tuple[int, ...]:
        """The pixels that it reads; those inside functions are not seen."""
        return tuple(
            sorted({part.pixel for t in self.terms for f in t.factors for _, part in f.angle if part.pixel is not None})
        )

    @property
    def frequencies(self) -> tuple[tuple[float, ...], ...]:
        """For each pixel the frequencies with which the value changes with it, in radians per unit of the pixel."""
        by_pixel: list[set[float]] = [set() for _ in range(self.n_pixels)]
        for frequencies in self.spectrum():
            for pixel, frequency in enumerate(frequencies):
                if frequency:
                    by_pixel[pixel].add(abs(frequency))
        return tuple(tuple(sorted(different)) for different in by_pixel)

    def spectrum(self) -> Spectrum:
        """The Fourier series: amplitudes by frequency.

        Returns:
            A dictionary: ``value = sum of amplitude * exp(i frequency . x)`` over its entries, a frequency being a
            number for each pixel, in radians per unit of the pixel.

        Raises:
            QuanvolveError: if an angle is no multiple of pixels, or there are too many terms.

        References:
            Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021), equation 6.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, weights=[[[[0.0]]]], scale=1.0)
            >>> layer.formula(0).spectrum()
            {(1.0,): (0.5+0j), (-1.0,): (0.5+0j)}
        """
        if sum(2 ** len(term.factors) for term in self.terms) > _MOST:
            raise QuanvolveError(
                f"the formula has {len(self.terms):,} terms, too many for a spectrum: prune it first, with "
                "formula.pruned(0.01)"
            )
        spectrum: Spectrum = {}
        for term in self.terms:
            waves: Spectrum = {(0.0,) * self.n_pixels: complex(term.coefficient)}
            for factor in term.factors:
                frequency = self._frequency(factor)
                ahead, back = (0.5, 0.5) if factor.function == "cos" else (-0.5j, 0.5j)
                moved: Spectrum = {}
                for old, amplitude in waves.items():
                    for sign, share in ((1, ahead), (-1, back)):
                        new = tuple(round(a + sign * b, _SAME) + 0.0 for a, b in zip(old, frequency, strict=True))
                        moved[new] = moved.get(new, 0.0) + share * amplitude
                waves = moved
            for wave, amplitude in waves.items():
                spectrum[wave] = spectrum.get(wave, 0.0) + amplitude
        return {wave: amplitude for wave, amplitude in spectrum.items() if abs(amplitude) > 1e-12}

    def _frequency(self, factor: Factor) -> list[float]:
        frequency = [0.0] * self.n_pixels
        for number, part in factor.angle:
            if part.pixel is None or part.name != f"x{part.pixel}":
                raise QuanvolveError(f"the angle {part.name} is no multiple of pixels, so there is no Fourier series")
            frequency[part.pixel] += number
        return frequency

    def pruned(self, error: float) -> Formula:
        """The formula without its smallest terms.

        Args:
            error: which no window's value may change by more than.

        Raises:
            QuanvolveError: if it is negative.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 4, 2, seed=0)
            >>> formula = layer.formula(0)
            >>> short = formula.pruned(0.1)
            >>> len(short.terms) < len(formula.terms), short.error <= 0.1
            (True, True)
        """
        if not error >= 0:
            raise QuanvolveError(f"`error` (={error!r}) must be at least 0")
        left, out = error - self.error, 0.0
        dropped: set[int] = set()
        for number in sorted(range(len(self.terms)), key=lambda k: abs(self.terms[k].coefficient)):
            size = abs(self.terms[number].coefficient)
            if out + size > left:
                break
            out += size
            dropped.add(number)
        terms = [term for number, term in enumerate(self.terms) if number not in dropped]
        return Formula(self.channel, terms, n_pixels=self.n_pixels, error=self.error + out, digits=self._digits)

    def latex(self) -> str:
        r"""The formula in LaTeX.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, weights=[[[[0.0]]]])
            >>> print(layer.formula(0).latex())
            \mathrm{ch}_{0} = \cos(\pi x_{0})
        """
        text = re.sub(r"\bx(\d+)", r"x_{\1}", self.removeprefix(f"ch{self.channel} = "))
        text = re.sub(r"\b(cos|sin|arctan|arcsin|arccos|tan|exp|log|sqrt|tanh)\(", r"\\\1(", text)
        text = re.sub(r"\bpi\b", r"\\pi", text).replace("\\sqrt(", "\\operatorname{sqrt}(")
        return f"\\mathrm{{ch}}_{{{self.channel}}} = {text}"

    def sympy(self) -> sympy.Expr:
        """The formula as an expression of SymPy in the symbols x0, x1, ..., with all digits.

        Raises:
            QuanvolveError: if an angle is a function that has no short text.

        Examples:
            >>> from quanvolve import Quanv2d
            >>> layer = Quanv2d(1, 1, 1, circuit="basic_entangler", n_layers=1, weights=[[[[0.0]]]], scale=2.0)
            >>> layer.formula(0).sympy().diff("x0")
            -2.0*sin(2.0*x0)
        """
        import sympy

        total: Any = sympy.Float(0)
        for term in self.terms:
            product: Any = sympy.Float(term.coefficient, 17)
            for factor in term.factors:
                angle = sum(
                    (sympy.Float(number, 17) * _symbolic(part) for number, part in factor.angle), sympy.Float(0)
                )
                product *= getattr(sympy, factor.function)(angle)
            total += product
        return total


def _symbolic(part: Part) -> Any:
    """A pixel, a bit or a function as SymPy knows it."""
    import sympy
    from sympy.parsing.sympy_parser import (
        convert_xor,
        implicit_multiplication,
        parse_expr,
        standard_transformations,
    )

    if part.pixel is not None:
        symbol = sympy.Symbol(f"x{part.pixel}")
        if part.name == f"x{part.pixel}":
            return symbol
        _, sign, limit = part.exact.strip("[]").split()
        condition = symbol > float(limit) if sign == ">" else symbol < float(limit)
        return sympy.Piecewise((1, condition), (0, True))
    if re.match(r"f\d+\(", part.exact):
        raise QuanvolveError(f"the angle {part.name} is a function without a short form, so SymPy cannot be given it")
    names: dict[str, Any] = {"arctan": sympy.atan, "arcsin": sympy.asin, "arccos": sympy.acos, "abs": sympy.Abs}
    names |= {"sigmoid": lambda a: 1 / (1 + sympy.exp(-a)), "relu": lambda a: sympy.Max(a, 0), "sign": sympy.sign}
    rules = (*standard_transformations, convert_xor, implicit_multiplication)
    return parse_expr(part.exact, local_dict=names, transformations=rules)


def layer_formula(layer: LayerView, channel: int | None, *, digits: int, tolerance: float) -> Formula | str:
    """What is behind :meth:`quanvolve.Quanv2d.formula`, which documents it."""
    if channel is None:
        return "\n".join(channel_formula(layer, c, digits, tolerance) for c in range(layer.out_channels))
    return channel_formula(layer, channel, digits, tolerance)


def channel_formula(layer: LayerView, channel: int, digits: int = 4, tolerance: float = 1e-6) -> Formula:
    """The formula of one channel."""
    terms: list[Term] = []
    for part in channel_circuits(layer, channel):
        terms += _terms_of(part)
    if layer.bias is not None:
        terms.append(Term(float(layer.bias[channel].detach())))
    large = [term for term in terms if abs(term.coefficient) > tolerance]
    left_out = sum(abs(term.coefficient) for term in terms if abs(term.coefficient) <= tolerance)
    n_pixels = layer.in_channels * layer.geometry.window_size
    return Formula(channel, large, n_pixels=n_pixels, error=left_out, digits=digits)


def _terms_of(part: ChannelCircuit) -> list[Term]:
    """The terms of one of the circuits that a channel sums over."""
    if part.circuit.postprocessing is not None:
        raise PlanError(
            "the channel is a function of expectation values, such as a variance, and no trigonometric polynomial with "
            "a formula of its own: the expectation values have formulas, which a layer with "
            "circuit=layer.circuits[0].without_postprocessing() gives"
        )
    try:
        recipe, coefficients = part.coefficients()
    except PlanError as error:
        return fourier_terms(part, error)
    if _reads_twice(recipe):
        with contextlib.suppress(PlanError):  # products are right as well
            return fourier_terms(part, PlanError("the circuit reads an input more than once"))
    return _terms(recipe, coefficients, list(part.scales), part.first)


def _reads_twice(recipe: Recipe) -> bool:
    """Whether products of functions of one pixel arise, which a Fourier series writes as one function of it."""
    read = [index for site in recipe.sites for angle in site.angles for index, _ in angle]
    return len(set(read)) < len(read) and all(index < recipe.circuit.n_inputs for index in read)


def _terms(recipe: Recipe, row: Tensor, scales: list[float], first: int) -> list[Term]:
    derived = _derived(recipe, scales, first)
    pixels = range(first, first + len(scales))
    sites = [site_factors(site, scales, pixels, recipe.circuit.threshold, derived) for site in recipe.sites]
    terms = []
    for coefficient, factors in zip(row.tolist(), itertools.product(*sites), strict=True):
        if coefficient:
            terms.append(Term(coefficient, tuple(itertools.chain.from_iterable(factors))))
    terms.sort(key=lambda term: len(term.factors))
    return terms


def _derived(recipe: Recipe, scales: list[float], first: int) -> list[Part]:
    """The values of the circuit's program."""
    program = recipe.circuit.program
    if program is None:
        return []
    short = value_texts(program, [f"{factor_text(scale)}x{first + i}" for i, scale in enumerate(scales)], {})
    full = value_texts(program, [f"({scale!r} * x{first + i})" for i, scale in enumerate(scales)], {}, digits=17)
    return [Part(name, None, exact) for name, exact in zip(short, full, strict=True)]


def site_factors(
    site: Site, scales: Sequence[float], pixels: Sequence[int], threshold: float | None, derived: Sequence[Part] = ()
) -> list[tuple[Factor, ...]]:
    """Each of a site's functions: products of cosines and sines, the first reader fastest.

    Args:
        site: of a recipe.
        scales: what each input is multiplied with.
        pixels: which pixel each input is.
        threshold: of the circuit.
        derived: the values of its program.
    """
    angles = [_angle(angle, scales, pixels, threshold, derived) for angle in site.angles]
    products = []
    for column in site.columns:
        digits = [(column // 3**r) % 3 for r in range(len(angles))]
        products.append(
            tuple(Factor(("", "cos", "sin")[d], angle) for d, angle in zip(digits, angles, strict=True) if d)
        )
    return products


def _angle(
    terms: tuple[tuple[int, float], ...],
    scales: Sequence[float],
    pixels: Sequence[int],
    threshold: float | None,
    derived: Sequence[Part],
) -> tuple[tuple[float, Part], ...]:
    parts: list[tuple[float, Part]] = []
    for index, coefficient in terms:
        if index >= len(scales):
            parts.append((coefficient, derived[index - len(scales)]))
            continue
        pixel = pixels[index]
        if threshold is None:
            parts.append((coefficient * scales[index], Part(f"x{pixel}", pixel, f"x{pixel}")))
        else:
            limit = threshold / scales[index] if scales[index] else math.inf
            sign = ">" if scales[index] >= 0 else "<"
            parts.append((coefficient, Part(f"[x{pixel} {sign} {limit:g}]", pixel, f"[x{pixel} {sign} {limit!r}]")))
    return tuple(parts)
