"""Lines of the ledger; the format is in docs/ledger.md."""


class LedgerError(ValueError):
    """A line that is none; `column` says where, from 1."""

    def __init__(self, message, column):
        super().__init__(f"{message} (column {column})")
        self.column = column


def read_line(line):
    """The fields of a line, which comes without its line end."""
    fields = []
    field = ""
    quoted = False
    for letter in line:
        if letter == '"':
            quoted = not quoted
        elif letter == ";" and not quoted:
            fields.append(_unescaped(field))
            field = ""
        else:
            field += letter
    if quoted:
        raise LedgerError("a quote is never closed", line.index('"') + 1)
    fields.append(_unescaped(field))
    return fields


def write_line(fields):
    """A line that reads as these fields."""
    return ";".join(_written(field) for field in fields)


def _unescaped(text):
    return text.replace("\\n", "\n").replace("\\\\", "\\")


def _written(field):
    text = field.replace("\n", "\\n").replace("\\", "\\\\")
    if ";" in text or '"' in text:
        return f'"{text}"'
    return text
