"""From a circuit description to numbers: description -> plan -> compiled weights and windows -> values."""

from quanvolve.compile._chunks import CHUNK_BYTES as CHUNK_BYTES
from quanvolve.compile._coefficients import coefficients as coefficients
from quanvolve.compile._evaluate import evaluate as evaluate
from quanvolve.compile._features import features as features
from quanvolve.compile._layout import Layout as Layout
from quanvolve.compile._plan import Plan as Plan
from quanvolve.compile._planner import ENGINES as ENGINES
from quanvolve.compile._planner import NO_PLAN as NO_PLAN
from quanvolve.compile._planner import Planner as Planner
from quanvolve.compile._planner import plans_of as plans_of
from quanvolve.compile._polynomial import PolynomialPlan as PolynomialPlan
from quanvolve.compile._precision import wide as wide
from quanvolve.compile._recipe import MAX_WIRES as MAX_WIRES
from quanvolve.compile._recipe import Recipe as Recipe
from quanvolve.compile._recipe import compile_circuit as compile_circuit
from quanvolve.compile._sites import Site as Site
from quanvolve.compile._sites import find_sites as find_sites
from quanvolve.compile._statevector import StatevectorPlan as StatevectorPlan
from quanvolve.compile._statevector import continued as continued
from quanvolve.compile._switch import use_kernels as use_kernels
from quanvolve.compile._table import TablePlan as TablePlan
from quanvolve.compile._tensor_train import TensorTrainPlan as TensorTrainPlan
from quanvolve.compile._truncated_train import TruncatedTrainPlan as TruncatedTrainPlan
from quanvolve.compile._truncated_train import needs_fixed as needs_fixed
from quanvolve.compile._windows import Windows as Windows
