"""How a studio is set up, and the limits it keeps."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from quanvolve._errors import QuanvolveError


@dataclass(frozen=True)
class Limits:
    """What a request may ask for, and how many of them there may be.

    Args:
        body_bytes: size of a request with images.
        form_bytes: size of any other request, and of what a request with images has beside them.
        held_bytes: size of all requests of a server process that are being answered.
        image_pixels: pixels of an uploaded picture, before it is made smaller.
        pixels: of all pictures of a request.
        batch: images in a request.
        seconds: time until an answer is given up, and for a request to arrive.
        head_bytes: size of request line and headers.
        head_seconds: time for them to arrive.
        idle_seconds: time that a connection is kept without a request.
        connections: of a server process; half of the file descriptors that it may have, if these are fewer.
        connections_of_one: of them, those of one address that is not this machine's own.
        jobs: jobs that may wait.
        streams: clients that follow jobs at the same time.
        data_bytes: of all uploaded data sets together.
        data_sets: how many of them there may be.
        set_bytes: of one of them, as it is unpacked.
        set_files: of one of them, as it is unpacked.
        upload_files: in a request.
        uploads: requests with data that are read at the same time.
        slowest: bytes a second at which they must come at least, after the first `seconds`.
        look_seconds: time to look at a data set.
        look_bytes: memory of the process that does.
    """

    body_bytes: int = 16 * 2**20
    form_bytes: int = 64 * 2**10
    held_bytes: int = 256 * 2**20
    image_pixels: int = 4_000_000
    pixels: int = 64_000_000
    batch: int = 1000
    seconds: float = 30.0
    head_bytes: int = 64 * 2**10
    head_seconds: float = 10.0
    idle_seconds: float = 30.0
    connections: int = 1000
    connections_of_one: int = 200
    jobs: int = 100
    streams: int = 64
    data_bytes: int = 16 * 2**30
    data_sets: int = 200
    set_bytes: int = 4 * 2**30
    set_files: int = 100_000
    upload_files: int = 1000
    uploads: int = 4
    slowest: int = 64 * 2**10
    look_seconds: float = 120.0
    look_bytes: int = 8 * 2**30


@dataclass(frozen=True)
class Settings:
    """A studio.

    Args:
        folder: of its models, studies, uploaded data, logs and, unless `database` says otherwise, its database.
        database: URL of SQLAlchemy, such as postgresql+psycopg://user@host/name.
        host: address to listen on.
        port: of that address.
        allowed_hosts: names by which it may be reached, beside loopback's own.
        allowed_origins: other web pages that may use it, such as https://lab.example.org.
        data_dir: folder with data sets.
        workers: jobs that run at the same time.
        first_model: whether to train a small model when there is none.
        batching: whether predictions of concurrent requests are computed together.
        limits: what a request may ask for.
    """

    folder: Path
    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 8642
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    data_dir: Path | None = None
    workers: int = 1
    first_model: bool = True
    batching: bool = True
    limits: Limits = field(default_factory=Limits)

    @property
    def url(self) -> str:
        """The database."""
        return self.database or f"sqlite:///{self.folder.resolve() / 'studio.sqlite'}"

    @property
    def open_to_others(self) -> bool:
        """Whether others than this machine's users can reach it: a token is then needed."""
        return bool(self.allowed_hosts) or not is_loopback(self.host)

    @property
    def models(self) -> Path:
        """Where models are, a folder each."""
        return self.folder / "models"

    @property
    def studies(self) -> Path:
        """Where comparisons are, a folder each."""
        return self.folder / "studies"

    @property
    def data(self) -> Path:
        """Where uploaded data sets are, a folder each."""
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        """What jobs have printed."""
        return self.folder / "logs"

    def to_json(self) -> str:
        """As text, for server processes of their own."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Back from text.

        Examples:
            >>> before = Settings(Path("store"), allowed_hosts=("lab",), limits=Limits(batch=10))
            >>> Settings.from_json(before.to_json()) == before
            True
        """
        content = json.loads(text)
        content["folder"] = Path(content["folder"])
        content["data_dir"] = None if content["data_dir"] is None else Path(content["data_dir"])
        for name in ("allowed_hosts", "allowed_origins"):
            content[name] = tuple(content[name])
        return cls(**{**content, "limits": Limits(**content["limits"])})

    def check(self) -> None:
        """Refuse what cannot work.

        Raises:
            QuanvolveError: naming it.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise QuanvolveError(f"--output {self.folder} is a file, expected a folder")
        if self.database is not None and not self.database.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise QuanvolveError(
                f"--database {self.database.split('@')[-1]} is not a database this studio knows: expected "
                "postgresql+psycopg://USER:PASSWORD@HOST/NAME or sqlite:///FILE"
            )
        for origin in self.allowed_origins:
            if not origin.startswith(("http://", "https://")) or origin.endswith("/") or origin.count("/") != 2:
                raise QuanvolveError(
                    f"--allow-origin {origin} is not the origin of a web page, such as https://lab.example.org"
                )


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only.

    Examples:
        >>> [is_loopback(host) for host in ("127.0.0.1", "LocalHost", "::1", "0.0.0.0", "example.org")]
        [True, True, True, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
