"""What a file's bytes are: text, text with foreign line ends or letters, or a binary file of a known type."""

from __future__ import annotations

READ_BYTES = 4 << 20
"""Most of a file that is looked at."""

_PROBE = 8192
_FOREIGN_SHARE = 0.3
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\x7fELF", "ELF program or library"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"RIFF", "RIFF file, such as sound"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)


def binary_type(content: bytes) -> str | None:
    """What kind of binary file this is, `data` where it is not known; None for text."""
    if b"\0" in content[:_PROBE] or not is_utf8(content):
        for signature, name in _SIGNATURES:
            if content.startswith(signature):
                return name
    if content[257:262] == b"ustar":
        return "tar archive"
    probe = content[:_PROBE]
    if b"\0" in probe:
        return "data"
    foreign = probe.decode("utf-8", "replace").count("\ufffd")
    return "data" if foreign > _FOREIGN_SHARE * max(len(probe), 1) else None


def is_utf8(content: bytes) -> bool:
    """Whether all of it is UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def has_crlf(content: bytes) -> bool:
    """Whether every line ends in CR LF."""
    ends = content.count(b"\n")
    return ends > 0 and content.count(b"\r\n") == ends


def with_crlf(text: bytes) -> bytes:
    """The same text with its line ends as CR LF; one that already holds a CR means what it says."""
    return text if b"\r" in text else text.replace(b"\n", b"\r\n")


def lines_of(text: str) -> list[str]:
    """The lines with their ends, divided at LF alone, as other programs count them."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def hexadecimal(content: bytes, start: int) -> str:
    """Bytes that stand from `start` on, sixteen a line: place, values, and letters where there are any."""
    shown = []
    for at in range(0, len(content), 16):
        row = content[at : at + 16]
        values = " ".join(f"{byte:02x}" for byte in row)
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        shown.append(f"{start + at:08x}  {values:<47}  {letters}")
    return "\n".join(shown)
