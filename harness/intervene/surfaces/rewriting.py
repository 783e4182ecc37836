"""Briefs said otherwise: rewrites that keep every word of what is asked.

- `courteous`: a greeting and thanks before the text, thanks after it;
- `terse`: `Your orders:` on a line before the text, nothing else;
- `headed`: the text under a Markdown heading that says what it is (`# Instructions`, `# Task`), with a line that
  says where it ends;
- `bulleted`: every sentence of plain paragraphs as an item of a list; paragraphs that have a layout of their own
  (indented, numbered, listed, with code or with control blocks of a template) stay as they are;
- `typographic`: curly apostrophes within words, ellipses and dashes as a typesetter has them.

Placeholders and control blocks of templates, whatever stands in quotation marks, code in backticks and addresses of web
pages are never touched. An empty text stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Rewrite = Callable[[str, str], str]
"""(text, heading) -> text."""

PROTECTED = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|```.*?```|`[^`\n]+`|\"[^\"\n]*\"|“[^”]*”|‘[^’\n]*’|«[^»]*»"
    r"|(?<![\w'])'[^'\n]+'(?![\w'])|https?://\S+",
    re.DOTALL,
)
"""What no rewrite touches."""
_SENTENCE = re.compile(r"(?<=[^\W\d_]{3}[.!?])[ \t]*[ \n][ \t]*(?=[A-Z\ue000])")
_OWN_LAYOUT = re.compile(r"^(?:[ \t]|[-*+#>|]|\d+[.)])", re.MULTILINE)


def protected(text: str) -> list[str]:
    """The parts of a text that no rewrite touches, in order."""
    return PROTECTED.findall(text)


def rewritten(name: str, text: str, heading: str) -> str:
    """The text as this rewrite has it; raises `KeyError` for a rewrite that there is not."""
    rewrite = REWRITES[name]
    return rewrite(text, heading) if text.strip() else text


def _courteous(text: str, heading: str) -> str:
    return f"Hello, and thank you for your help.\n\n{text.strip()}\n\nMany thanks in advance."


def _terse(text: str, heading: str) -> str:
    return f"Your orders:\n{text.strip()}"


def _headed(text: str, heading: str) -> str:
    return f"# {heading}\n\n{text.strip()}\n\n# End of: {heading}"


def _bulleted(text: str, heading: str) -> str:
    def listed(plain: str, parts: list[str]) -> str:
        return re.sub(r"[^\n].*?(?=\n{2,}|\Z)", lambda found: _items(found[0], parts), plain, flags=re.DOTALL)

    return _apart(text.strip(), listed)


def _items(paragraph: str, parts: list[str]) -> str:
    held = [parts[int(number)] for number in re.findall(r"\ue000(\d+)\ue001", paragraph)]
    if _OWN_LAYOUT.search(paragraph) or any(part.startswith(("{%", "```")) or "\n" in part for part in held):
        return paragraph
    sentences = [sentence for sentence in _SENTENCE.split(paragraph.rstrip("\n")) if sentence.strip()]
    return "\n".join("- " + sentence.replace("\n", "\n  ") for sentence in sentences)


def _typographic(text: str, heading: str) -> str:
    def set_type(plain: str, parts: list[str]) -> str:
        plain = re.sub(r"(?<=[^\W\d_])'(?=[^\W\d_])", "\u2019", plain)
        plain = re.sub(r"(?<=[^\W\d_])\.\.\.(?=\s|\Z)", "\u2026", plain)
        return re.sub(r"(?<=[\w,.]) (?:-|--) (?=\w)", " \u2013 ", plain)

    return _apart(text, set_type)


def _apart(text: str, change: Callable[[str, list[str]], str]) -> str:
    """The text with its unprotected parts changed; protected ones stand as numbered marks meanwhile."""
    if "\ue000" in text or "\ue001" in text:
        return text
    parts: list[str] = []

    def mark(found: re.Match[str]) -> str:
        parts.append(found[0])
        return f"\ue000{len(parts) - 1}\ue001"

    changed = change(PROTECTED.sub(mark, text), parts)
    return re.sub(r"\ue000(\d+)\ue001", lambda found: parts[int(found[1])], changed)


REWRITES: Mapping[str, Rewrite] = {
    "courteous": _courteous,
    "terse": _terse,
    "headed": _headed,
    "bulleted": _bulleted,
    "typographic": _typographic,
}
"""Name -> what it does."""
