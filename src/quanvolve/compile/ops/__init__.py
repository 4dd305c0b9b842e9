"""Operators of torch: one for each family of kernels, with its shape, its gradient and its second derivative."""
