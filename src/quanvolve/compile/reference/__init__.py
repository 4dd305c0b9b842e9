"""Every plan in plain torch: what the kernels are tested against, and what runs where there are none."""
