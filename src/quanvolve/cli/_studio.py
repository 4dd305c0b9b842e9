"""`quanvolve studio`: the web page and the API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from quanvolve._errors import QuanvolveError
from quanvolve._interrupt import interruptible
from quanvolve.cli._asked import DATA, option
from quanvolve.cli._console import emit
from quanvolve.cli._options import DataDir
from quanvolve.cli._output import STUDIO, output_folder

_SERVER, _ACCESS = "Server", "Who may come in"
_Output = Annotated[Path, option("--output", "Folder of models, studies, logs and the database.", DATA, "DIR")]
_Database = Annotated[
    str | None, option("--database", "URL of a PostgreSQL database, in place of SQLite in --output.", DATA, "URL")
]
_Model = Annotated[list[Path] | None, option("--model", "Copy this run of `quanvolve train` in first.", DATA, "RUN")]
_NoFirst = Annotated[bool, option("--no-first-model", "Train no small model when there is none.", DATA, None)]
_Host = Annotated[
    str, option("--host", "Address to listen on; others than this machine's need a token.", _SERVER, "ADDRESS")
]
_Port = Annotated[int, option("--port", "Port to listen on.", _SERVER, min=1, max=65535)]
_NoBrowser = Annotated[bool, option("--no-browser", "Do not open the page.", _SERVER, None)]
_Processes = Annotated[
    int, option("--processes", "Server processes; use PostgreSQL for several.", _SERVER, min=1, max=64)
]
_Jobs = Annotated[int, option("--jobs", "Jobs that each of them runs at a time.", _SERVER, min=0, max=64)]
_AllowHost = Annotated[
    list[str] | None, option("--allow-host", "A name by which it is reached, as behind a proxy.", _ACCESS, "NAME")
]
_AllowOrigin = Annotated[
    list[str] | None, option("--allow-origin", "Another web page that may use it.", _ACCESS, "ORIGIN")
]
_NewToken = Annotated[bool, option("--new-token", "Make a new token; older ones end.", _ACCESS, None)]


def studio(
    output: _Output = Path("studio"),
    database: _Database = None,
    model: _Model = None,
    no_first_model: _NoFirst = False,
    data_dir: DataDir = None,
    host: _Host = "127.0.0.1",
    port: _Port = 8642,
    no_browser: _NoBrowser = False,
    processes: _Processes = 1,
    jobs: _Jobs = 1,
    allow_host: _AllowHost = None,
    allow_origin: _AllowOrigin = None,
    new_token: _NewToken = False,
) -> None:
    """Serve the studio: a web page and an API for models.

    Draw a digit and watch the quantum feature maps, train models, compare
    them with controls, read their explanations; everything also by HTTP, see
    /docs of the server.

    Everything is kept in --output. After Ctrl-C or kill -9 the same command
    goes on, jobs included.
    """
    output_folder(output, STUDIO)
    try:
        from quanvolve.studio import Settings, serve
    except ModuleNotFoundError as error:
        raise QuanvolveError(
            f"the studio needs {error.name}, which is not installed: pip install 'quanvolve[studio]'"
        ) from error
    settings = Settings(
        output, database, host, port, tuple(allow_host or ()), tuple(allow_origin or ()),
        None if data_dir is None else Path(os.path.abspath(data_dir)), workers=jobs, first_model=not no_first_model,
    )  # fmt: skip
    with interruptible("stopped; what was not finished goes on when it starts again"):
        serve(
            settings, processes=processes, models=model or (), new_token=new_token, browser=not no_browser, say=emit
        )  # fmt: skip
