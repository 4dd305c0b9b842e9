"""PennyLane's lightning.qubit, a call for each window."""

from _driver import serve
from pennylane_loop import Contender as Loop


class Contender(Loop):
    device = "lightning.qubit"


if __name__ == "__main__":
    serve(Contender())
