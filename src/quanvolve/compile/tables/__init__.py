"""What circuits are to the plans, whatever their weights are: arrays of NumPy, made once and owned by a plan."""
