"""Which kernels run a plan on a device."""

from __future__ import annotations

import torch

from quanvolve.compile.ops._switch import why_plain
from quanvolve.compile.plans._parts import PartsPlan
from quanvolve.compile.plans._plan import Plan
from quanvolve.compile.plans._polynomial import PolynomialPlan
from quanvolve.compile.plans._postprocessed import PostprocessedPlan
from quanvolve.compile.plans._sampled import SampledPlan
from quanvolve.compile.plans._statevector import StatevectorPlan
from quanvolve.compile.plans._tensor_train import TensorTrainPlan
from quanvolve.compile.tables._features import feature_table
from quanvolve.compile.tables._recipe import Encoded


def runs_by(plan: Plan, device: torch.device) -> str:
    """What evaluates windows, in a few words.

    Examples:
        >>> from quanvolve.circuits import named_circuit
        >>> runs_by(PolynomialPlan([named_circuit("basic_entangler", 2)]), torch.device("cpu"))
        "by Numba's kernels"
    """
    while isinstance(plan, SampledPlan | PostprocessedPlan | PartsPlan):
        plan = plan.plans[0] if isinstance(plan, PartsPlan) else plan.inner
    encoded: Encoded | None = None
    if isinstance(plan, PolynomialPlan):
        family, encoded = "polynomial", plan.recipe
    elif isinstance(plan, TensorTrainPlan):
        family, encoded = "network", plan.chains[0]
    elif isinstance(plan, StatevectorPlan):
        family = "states"
    else:
        return f"in plain torch: there is no kernel for the {plan.name} plan"
    if encoded is not None and feature_table(encoded) is None:
        return "in plain torch: kernels take angles that are multiples of one value of the window each"
    why = why_plain(family, device.type)
    return f"in plain torch: {why}" if why else f"by {_NAMES[device.type]}'s kernels"


_NAMES = {"cpu": "Numba", "cuda": "Triton"}
