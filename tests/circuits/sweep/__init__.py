"""Captured functions against `default.qubit`: all of PennyLane's operations, and what people write between them."""
