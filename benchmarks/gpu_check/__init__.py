"""What `benchmarks/cuda.py` checks and measures, a file each."""
