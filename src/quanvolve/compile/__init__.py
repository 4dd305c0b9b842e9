"""From a circuit description to numbers: description -> recipe -> coefficients and features -> values."""

from quanvolve.compile._coefficients import coefficients as coefficients
from quanvolve.compile._evaluate import CHUNK_BYTES as CHUNK_BYTES
from quanvolve.compile._evaluate import evaluate as evaluate
from quanvolve.compile._features import features as features
from quanvolve.compile._polynomial import PolynomialPlan as PolynomialPlan
from quanvolve.compile._recipe import MAX_WIRES as MAX_WIRES
from quanvolve.compile._recipe import Recipe as Recipe
from quanvolve.compile._recipe import compile_circuit as compile_circuit
from quanvolve.compile._sites import Site as Site
