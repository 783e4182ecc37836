"""Letters as internet messages (RFC 5322 and MIME), and back, with nothing lost.

Texts travel as base64, so that every character and line end comes through. What a mail client keeps beside a message,
such as the number it shows, stands in `X-Office` headers.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from email.encoders import encode_base64
from email.header import decode_header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32

from harness.environments.office.mail.letters import Enclosed, Letter

_DATE = "%a, %d %b %Y %H:%M:%S +0000"
_DOMAIN = "office.invalid"
_WIRE = compat32.clone(linesep="\r\n", max_line_length=0)


def as_message(letter: Letter, message: int | None, more: Mapping[str, object]) -> bytes:
    """The bytes of a letter; `message` is its number, once it has one, and `more` goes into `X-Office` headers."""
    text = MIMEText(letter.html or letter.body, "html" if letter.html else "plain", "utf-8")
    whole: Message = text
    if letter.enclosed:
        whole = MIMEMultipart(boundary=_boundary(letter))
        whole.attach(text)
        for one in letter.enclosed:
            whole.attach(_part(one))
    whole["From"] = f"{_words(letter.name)} <{letter.sender}>" if letter.name else letter.sender
    whole["To"] = ",\r\n ".join(letter.to)
    if letter.cc:
        whole["Cc"] = ",\r\n ".join(letter.cc)
    whole["Date"] = datetime.fromisoformat(letter.at).strftime(_DATE)
    whole["Subject"] = _words(letter.subject)
    if message is not None:
        whole["Message-ID"] = f"<{message}@{_DOMAIN}>"
    if letter.answers is not None:
        whole["In-Reply-To"] = f"<{letter.answers}@{_DOMAIN}>"
    for name, value in more.items():
        whole[f"X-Office-{name}"] = str(value)
    return whole.as_bytes(policy=_WIRE)


def _boundary(letter: Letter) -> str:
    """The same each time; base64 can hold no part of it."""
    return f"=_office_{len(letter.enclosed)}_"


def _part(one: Enclosed) -> MIMEBase:
    main, _, sub = one.type.partition("/")
    part = MIMEBase(main, sub)
    part.set_payload(one.content)
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", one.name))
    return part


def as_letter(data: bytes) -> tuple[Letter, Message]:
    """The letter of a message, and the message for its other headers."""
    whole = message_from_bytes(data)
    parts = [part for part in whole.walk() if not part.is_multipart()]
    text = _decoded(parts[0])
    html = parts[0].get_content_subtype() == "html"
    name, _, address = str(whole["From"]).rpartition(" ")
    letter = Letter(
        sender=address.strip("<>"), name=_plain(name), to=_addresses(whole["To"]), cc=_addresses(whole["Cc"]),
        subject=_plain(str(whole["Subject"] or "")), body="" if html else text, html=text if html else "",
        at=datetime.strptime(str(whole["Date"]), _DATE).strftime("%Y-%m-%d %H:%M:%S"),
        answers=number(whole["In-Reply-To"]),
        enclosed=[
            Enclosed(str(part.get_filename()), part.get_content_type(), _bytes(part)) for part in parts[1:]
        ],
    )  # fmt: skip
    return letter, whole


def number(header: object) -> int | None:
    """The number in a `Message-ID` of ours."""
    text = str(header or "").strip("<>").partition("@")[0]
    return int(text) if text.isdigit() else None


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _decoded(part: Message) -> str:
    return _bytes(part).decode("utf-8", "replace")


def _addresses(header: object) -> list[str]:
    return [address.strip() for address in str(header or "").split(",") if address.strip()]


def _words(text: str) -> str:
    """A text for a header: as it is where that is safe, else in encoded words (RFC 2047) of at most 75 characters."""
    if text.isascii() and text.isprintable() and "=?" not in text and len(text) < 70 and text == text.strip():
        return text
    words, piece = [], b""
    for character in text:
        encoded = character.encode("utf-8")
        if len(piece) + len(encoded) > 42:
            words.append(piece)
            piece = b""
        piece += encoded
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in (*words, piece))


def _plain(header: str) -> str:
    """What `_words` was given."""
    parts = decode_header(header)
    return "".join(part if isinstance(part, str) else part.decode(kind or "ascii", "replace") for part, kind in parts)
