"""The tables of the studio's database. Models, studies and uploaded data themselves are folders on disk."""

from __future__ import annotations

import secrets
import time
from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, SQLModel

QUEUED, RUNNING, STOPPED, DONE, FAILED = "queued", "running", "stopped", "done", "failed"
FINISHED = (STOPPED, DONE, FAILED)
OWN = "own"
"""Of a job's settings: the name of the uploaded data set whose id is `dataset`."""


def new_id() -> str:
    """Twelve hexadecimal digits, which are safe in paths and URLs.

    Examples:
        >>> len(new_id()), set(new_id()) <= set("0123456789abcdef")
        (12, True)
    """
    return secrets.token_hex(6)


class Model(SQLModel, table=True):
    """A model: its folder is named by its id."""

    __tablename__ = "models"
    id: str = Field(default_factory=new_id, primary_key=True, max_length=12)
    name: str = Field(max_length=80)
    dataset: str = Field(max_length=200)
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created: float = Field(default_factory=time.time)


class Job(SQLModel, table=True):
    """Work of a process of its own.

    Attributes:
        kind: "train", "explain", "onnx" or "compare".
        state: "queued", "running", "stopped", "done" or "failed".
        model: the model it is about; none for a comparison.
        wanted: "stop" once somebody has asked for it.
        owner: the server that runs it.
        heartbeat: its last sign of life, in seconds since 1970.
        attempts: how often it was begun.
        error: why it failed.
    """

    __tablename__ = "jobs"
    id: str = Field(default_factory=new_id, primary_key=True, max_length=12)
    kind: str = Field(max_length=16)
    state: str = Field(default=QUEUED, max_length=16, index=True)
    model: str | None = Field(default=None, max_length=12, index=True)
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    wanted: str = Field(default="", max_length=16)
    owner: str | None = Field(default=None, max_length=64)
    heartbeat: float | None = None
    attempts: int = 0
    error: str | None = None
    created: float = Field(default_factory=time.time, index=True)
    started: float | None = None
    finished: float | None = None


class Upload(SQLModel, table=True):
    """Data of somebody's own: their folder is named by their id.

    Attributes:
        files: how many there are, as they are unpacked.
        bytes: their size.
        awaited: files that are still to come, as far as whoever sends them has said so.
        asked: how they are read, as they were last looked at with success.
    """

    __tablename__ = "uploads"
    id: str = Field(default_factory=new_id, primary_key=True, max_length=12)
    name: str = Field(max_length=80)
    files: int = 0
    bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    awaited: int = 0
    asked: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created: float = Field(default_factory=time.time, index=True)


class Token(SQLModel, table=True):
    """What lets somebody in; only the hash is kept."""

    __tablename__ = "tokens"
    id: str = Field(default_factory=new_id, primary_key=True, max_length=12)
    hash: str = Field(max_length=64, unique=True)
    created: float = Field(default_factory=time.time)
