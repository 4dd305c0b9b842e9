"""Which plan evaluates a layer."""
