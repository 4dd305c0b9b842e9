"""PennyLane functions become descriptions, and descriptions run on PennyLane: this is what knows PennyLane."""

from quanvolve.circuits.capture._capture import Captured as Captured
from quanvolve.circuits.capture._capture import capture as capture
from quanvolve.circuits.capture._capture import captured as captured
from quanvolve.circuits.capture._pennylane_lock import pennylane_alone as pennylane_alone
from quanvolve.circuits.capture._simulate import PENNYLANE_NAMES as PENNYLANE_NAMES
from quanvolve.circuits.capture._simulate import simulate as simulate
