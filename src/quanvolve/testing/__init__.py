"""The conformance kit: does a module that claims to be a quantum convolution compute one?

For layers of this package and for anyone else's. Each check comes from a defect that was found in published code.
"""

from quanvolve.testing._check import check_quanv as check_quanv
from quanvolve.testing._filters import check_distinct_filters as check_distinct_filters
from quanvolve.testing._filters import check_round_trip as check_round_trip
from quanvolve.testing._geometry import check_geometry as check_geometry
from quanvolve.testing._gradients import check_gradients as check_gradients
from quanvolve.testing._independence import check_independence as check_independence
from quanvolve.testing._independence import check_weight_sharing as check_weight_sharing
from quanvolve.testing._physics import check_physicality as check_physicality
from quanvolve.testing._physics import what_is_read as what_is_read
from quanvolve.testing._reference import own_reference as own_reference
from quanvolve.testing._report import ConformanceError as ConformanceError
from quanvolve.testing._report import Report as Report
from quanvolve.testing._report import Result as Result
from quanvolve.testing._subject import Subject as Subject
