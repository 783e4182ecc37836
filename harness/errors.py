"""Errors that people can mend; in a module of its own so that the command line starts without pydantic."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend, in one line: what, where, how. Printed without a traceback; exit code 2."""
