"""Lines of the ledger; the format is in docs/ledger.md."""


class LedgerError(ValueError):
    """A line that is none; `column` says where, from 1."""

    def __init__(self, message, column):
        super().__init__(f"{message} (column {column})")
        self.column = column


def read_line(line):
    """The fields of a line, which comes without its line end."""
    fields = []
    at = 0
    while True:
        field, at = _quoted(line, at) if line[at : at + 1] == '"' else _plain(line, at)
        fields.append(field)
        if at == len(line):
            return fields
        at += 1


def write_line(fields):
    """A line that reads as these fields."""
    return ";".join(_written(field) for field in fields)


def _plain(line, start):
    end = line.find(";", start)
    end = len(line) if end < 0 else end
    return _unescaped(line[start:end], [*range(start, end)]), end


def _quoted(line, start):
    letters, places = [], []
    at = start + 1
    while True:
        if at >= len(line):
            raise LedgerError("a quote is never closed", start + 1)
        if line[at] == '"':
            if line[at + 1 : at + 2] != '"':
                break
            at += 1
        letters.append(line[at])
        places.append(at)
        at += 1
    at += 1
    if at < len(line) and line[at] != ";":
        raise LedgerError("after a closing quote comes ';'", at + 1)
    return _unescaped("".join(letters), places), at


def _unescaped(text, places):
    found = []
    letters = iter(enumerate(text))
    for at, letter in letters:
        if letter == "\\":
            _, letter = next(letters, (at, ""))
            if letter not in ("n", "\\"):
                raise LedgerError("a backslash that means nothing", places[at] + 1)
            letter = "\n" if letter == "n" else letter
        found.append(letter)
    return "".join(found)


def _written(field):
    text = field.replace("\\", "\\\\").replace("\n", "\\n")
    if ";" in text or text.startswith('"'):
        return '"' + text.replace('"', '""') + '"'
    return text
