"""PennyLane's lightning.qubit, a call for each window."""

from importlib.metadata import version

from _driver import serve
from pennylane_loop import Loop


class Lightning(Loop):
    device = "lightning.qubit"

    def versions(self):
        return f"{super().versions()}, lightning {version('pennylane_lightning')}"


if __name__ == "__main__":
    serve(Lightning())
