"""Captured functions against `default.qubit`, over all of PennyLane's operations and of what people write between them."""
