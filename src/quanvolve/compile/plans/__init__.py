"""The ways to evaluate a layer."""
