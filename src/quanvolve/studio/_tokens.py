"""Tokens: made at random, shown once, kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
import time

from sqlalchemy import Engine, delete
from sqlmodel import Session, col, func, select

from quanvolve.studio._database import taking_turns
from quanvolve.studio._tables import Token

_FRESH = 30.0  # seconds that an accepted token is remembered


class Tokens:
    """Who may come in.

    Args:
        engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._accepted: dict[str, float] = {}

    def make(self) -> str:
        """A new token: 32 random bytes. It cannot be read again later."""
        token = secrets.token_urlsafe(32)
        with Session(self._engine) as session:
            session.add(Token(hash=_hashed(token)))
            session.commit()
        return token

    def any(self) -> bool:
        """Whether there is one."""
        with Session(self._engine) as session:
            return session.exec(select(func.count()).select_from(Token)).one() > 0

    def make_first(self) -> str | None:
        """A token, if there is none; servers that start together make one."""
        token = secrets.token_urlsafe(32)
        with taking_turns(self._engine) as session:
            if session.exec(select(Token.id).limit(1)).first() is not None:
                return None
            session.add(Token(hash=_hashed(token)))
        return token

    def replace_all(self) -> str:
        """A new token, in place of all that there are: either both happens or nothing."""
        token = secrets.token_urlsafe(32)
        with taking_turns(self._engine) as session:
            session.exec(delete(Token))
            session.add(Token(hash=_hashed(token)))
        self._accepted.clear()
        return token

    def valid(self, token: str) -> bool:
        """Whether it lets somebody in.

        Only its hash is looked up, so the time that takes tells nothing of the tokens there are.
        """
        hashed, now = _hashed(token), time.monotonic()
        if self._accepted.get(hashed, 0) > now:
            return True
        with Session(self._engine) as session:
            known = session.exec(select(Token.id).where(col(Token.hash) == hashed)).first()
        if known is None:
            self._accepted.pop(hashed, None)
            return False
        if len(self._accepted) > 1000:
            self._accepted.clear()
        self._accepted[hashed] = now + _FRESH
        return True


def _hashed(token: str) -> str:
    # Tokens have 256 random bits: a fast hash is enough.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
