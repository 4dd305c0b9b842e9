"""`quanvolve reproduce`: published results, run again."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from quanvolve._errors import QuanvolveError
from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import DATA, option
from quanvolve.cli._console import emit, emit_json, emit_table
from quanvolve.cli._counter import Counter
from quanvolve.cli._options import DataDir, Json
from quanvolve.cli._output import REPRODUCE, output_folder

_Name = Annotated[str | None, typer.Argument(metavar="NAME", help="A name from --list.")]
_List = Annotated[bool, option("--list", "Print what can be reproduced, and our results.", DATA, None)]
_Quick = Annotated[bool, option("--quick", "Fewer images, epochs and seeds: to see that it runs.", DATA, None)]
_Output = Annotated[Path | None, option("--output", "Folder of the results; else reproduced/NAME.", DATA, "DIR")]


def reproduce(
    name: _Name = None,
    list_: _List = False,
    quick: _Quick = False,
    output: _Output = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Run a published result again, beside its matched control.

    Says what was claimed, what came out, and what the control does. Finished
    trainings are kept in --output; the same command goes on with them.
    """
    if list_ or name is None:
        _list(json)
        return
    from quanvolve.reproduce import find
    from quanvolve.reproduce import reproduce as run

    reproduction = find(name)
    folder = output or Path("reproduced") / (f"{name}-quick" if quick else name)

    output_folder(folder, REPRODUCE)
    place = None if data_dir is None else Path(os.path.abspath(data_dir))
    again = f"quanvolve reproduce {name}{' --quick' * quick} --output {shlex.quote(str(folder))}"
    with interruptible(f"interrupted; continue with: {again}"), Counter("trainings", quiet=json) as counter:

        def told(done: int, total: int, what: str) -> None:
            counter.show(done, total, now=what)

        result = run(reproduction, folder, quick=quick, data_dir=place, progress=told)
    if json:
        emit_json(result.to_dict(reproduction.quickened() if quick else reproduction))
        return
    for sentence in result.sentences(reproduction.quickened() if quick else reproduction):
        emit(sentence)
    emit(f"wrote {folder / 'result.json'}")


def _list(json: bool) -> None:
    import json as jsonlib

    from quanvolve.reproduce import find, names

    rows, content = [], []
    for name in names():
        plan = find(name)
        path = plan.folder / "result.json"
        result = jsonlib.loads(path.read_text()) if path.is_file() else None
        expected = result["expected"] if result else []
        ours = f"{sum(e['as_expected'] for e in expected)} of {len(expected)} as expected" if result else "not run"
        rows.append((name, plan.title, plan.source, ours))
        content.append(
            {"name": name, "title": plan.title, "source": plan.source, "claim": plan.claim, "result": result}
        )
    if json:
        emit_json({"reproductions": content})
    elif not rows:
        raise QuanvolveError("there are no reproductions here: install quanvolve again")
    else:
        emit_table(rows, ("name", "what", "source", "our result"))
