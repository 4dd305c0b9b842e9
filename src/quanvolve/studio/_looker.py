"""Looks at data in a process of its own: they come from strangers, and may take any time and memory.

Started by `_leash.py`: PATH ASKED FOLDER BYTES. Says on standard output, as one JSON object, what was understood, or
why nothing was; the pictures go to FOLDER.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from quanvolve._errors import QuanvolveError
from quanvolve.data import source_of, understand
from quanvolve.runs import data_picture, load_data


def look(path: str, asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What is understood of data, with pictures of them in a folder, `light.png` and `dark.png`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pictures that are left out, which the notes name
        data = load_data(path, None, asked=asked)
        understood = understand(data, source_of(path))
    from quanvolve.figures import save_figure  # loads torch, which takes longer than to refuse most data

    for name in ("light", "dark"):
        save_figure(data_picture(data, understood), folder / f"{name}.png", dark=name == "dark")
    return {**understood.to_dict(), "dims": data.dims, "task": data.task}


def limit_memory(size: int) -> None:
    """Let this process have no more memory than that, on systems that have such limits."""
    try:
        import resource
    except ModuleNotFoundError:  # of Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def main(path: str, asked: str, folder: str, size: str) -> dict[str, Any]:
    """What is said."""
    limit_memory(int(size))
    try:
        return look(path, json.loads(asked), Path(folder))
    except QuanvolveError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": f"the data take more than {int(size) / 2**30:g} GiB of memory: use fewer or smaller images"}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
