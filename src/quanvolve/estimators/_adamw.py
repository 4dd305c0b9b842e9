"""AdamW without torch's compiler.

The methods of torch's optimizers keep `torch.compile` from looking into them, for which the first of them that is
called loads that compiler, `torch._dynamo`: as long as importing torch takes. Nobody compiles these steps.
"""

from __future__ import annotations

from typing import Any

import torch


def _plain(method: Any) -> Any:
    """A method as it is written, within what has been put around it."""
    while hasattr(method, "__wrapped__"):
        method = method.__wrapped__
    return method


class AdamW(torch.optim.AdamW):
    """torch's AdamW, with the same numbers.

    Examples:
        >>> weight = torch.nn.Parameter(torch.ones(()))
        >>> optimizer = AdamW([weight], lr=0.1, weight_decay=0.0)
        >>> weight.square().backward()
        >>> optimizer.step()
        >>> round(weight.item(), 4)
        0.9
    """

    add_param_group = _plain(torch.optim.AdamW.add_param_group)
    zero_grad = _plain(torch.optim.AdamW.zero_grad)
    state_dict = _plain(torch.optim.AdamW.state_dict)
    load_state_dict = _plain(torch.optim.AdamW.load_state_dict)
    step = torch.no_grad()(_plain(torch.optim.AdamW.step))
