r"""Text that models, tools and other people's files wrote, made harmless to print.

Escape sequences can repaint what was printed before, rename the window, or write to the clipboard; bidirectional
controls make text read otherwise than it is. Both are shown for what they are instead of being obeyed: `\x1b[31m`,
`<U+202E>`.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def harmless(text: str) -> str:
    """`text` with line ends and tabs kept, and everything else that a terminal would obey made visible."""
    text = text.replace("\r\n", "\n")
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r", "\\r"))
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def one_line(text: str, most: int | None = None) -> str:
    """`text` harmless and on one line, cut in the middle where it is longer than `most` characters."""
    line = " ".join(harmless(text).split())
    return line if most is None else shortened(line, most)


def shortened(text: str, most: int, mark: str = "..") -> str:
    """`text`, cut in the middle where it is wider than `most` columns: the ends of names tell them apart."""
    if columns(text) <= most:
        return text
    keep = max(0, most - len(mark))
    head, tail = (keep + 1) // 2, keep // 2
    begin = end = ""
    for character in text:
        if columns(begin + character) > head:
            break
        begin += character
    for character in reversed(text):
        if columns(character + end) > tail:
            break
        end = character + end
    return begin + mark + end


def columns(text: str) -> int:
    """Columns that a text takes on a terminal: some characters take two, some none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
