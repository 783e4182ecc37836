"""What a command printed, kept in bounded memory: the beginning, the end, and how much lay between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Output:
    """Text as shown, cut in the middle where it was too long."""

    text: str
    bytes_printed: int
    bytes_left_out: int


class HeadAndTail:
    """Collects bytes; holds at most a few times the number of characters it will show."""

    def __init__(self, characters: int) -> None:
        """Prepare to show at most about `characters` characters: two thirds from the start, a third from the end."""
        self._tail_characters = characters // 3
        self._head_characters = characters - self._tail_characters
        self._capacity = 4 * characters + 4
        self._head = bytearray()
        self._tail = bytearray()
        self._printed = 0

    @property
    def printed(self) -> int:
        """Bytes added so far."""
        return self._printed

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self._printed += len(data)
        room = self._capacity - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail += data[-self._capacity :]
            if len(self._tail) > 2 * self._capacity:
                del self._tail[: -self._capacity]

    def finish(self) -> Output:
        """Return what was collected, and begin anew."""
        head, tail, printed = bytes(self._head), bytes(self._tail), self._printed
        self._head.clear()
        self._tail.clear()
        self._printed = 0
        if len(head) + len(tail) == printed:
            text = _decode(head + tail)
            if len(text) <= self._head_characters + self._tail_characters:
                return Output(text, printed, 0)
            first, last = text[: self._head_characters], text[len(text) - self._tail_characters :]
        else:
            first, last = _decode(head)[: self._head_characters], _decode(tail)[-self._tail_characters :]
        left_out = max(printed - len(first.encode()) - len(last.encode()), 1)
        return Output(f"{first}\n[... {left_out} bytes left out ...]\n{last}", printed, left_out)


def _decode(data: bytes) -> str:
    """Decode UTF-8 with replacement; NUL is replaced too, since not every store of text can hold it."""
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")
