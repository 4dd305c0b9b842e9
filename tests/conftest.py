"""What all tests share: one thread, and hypothesis without deadlines, files or luck."""

import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("quanvolve", deadline=None, database=None, derandomize=True, max_examples=40)
settings.load_profile("quanvolve")
