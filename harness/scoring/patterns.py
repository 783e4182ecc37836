"""Regular expressions over text that models and tools wrote: bounded in time.

The pattern is the scenario author's, the text is not, and a pattern that backtracks can be made to run for ever by
the text. The `regex` module (Python's own syntax) stops itself after `SECONDS`.
"""

from __future__ import annotations

from harness.errors import UserError

SECONDS = 2.0
"""CPU time for one search."""


def search(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`, `^` and `$` matching at every line.

    Raises `UserError` when the pattern is not one, or takes too long on this text.
    """
    import regex

    try:
        compiled = regex.compile(pattern, regex.MULTILINE | regex.VERSION0)
        return compiled.search(text, timeout=SECONDS, concurrent=True) is not None
    except regex.error as error:
        raise UserError(f"{pattern!r} is not a regular expression: {error}") from error
    except TimeoutError as error:
        raise UserError(
            f"{pattern!r} was not done after {SECONDS:g} s on a text of {len(text)} characters; "
            "write it so that it need not backtrack"
        ) from error
