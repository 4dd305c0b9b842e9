"""What people write in a function: measurements, arithmetic, branches, states, wires, QNodes.

python -m tests.circuits.sweep.kinds [--only NAME] [--shard 0/4] [--csv FILE]
"""

from __future__ import annotations

from tests.circuits.sweep import (
    cases_angles,
    cases_branches,
    cases_escapes,
    cases_functions,
    cases_measured,
    cases_numbers,
    cases_states,
)
from tests.circuits.sweep.kind_case import KindCase
from tests.circuits.sweep.table import main


def cases() -> list[KindCase]:
    """All of them, each with a name of its own."""
    kinds = (cases_angles, cases_branches, cases_numbers, cases_escapes, cases_measured, cases_states, cases_functions)
    return [case for kind in kinds for case in kind.CASES]


if __name__ == "__main__":
    main(cases(), __doc__ or "")
