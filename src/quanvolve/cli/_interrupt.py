"""Ctrl-C with a word on how to go on."""


class Interrupted(Exception):
    """Work was stopped by Ctrl-C; the message says so, and how to continue or that nothing is left."""
