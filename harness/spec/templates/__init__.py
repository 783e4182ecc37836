"""Templates and expressions: Jinja2 in its sandbox, narrowed to what text needs and bounded in what it may use.

Files may come from anywhere, so a template is untrusted: it sees plain data only, the constructs, filters,
tests and methods listed in `filters` and `sandbox`, and cannot grow a value or a text past a bound.

White space: a tag alone on its line leaves no line behind, and one newline at the end is dropped.
`input.items` is the key `items` where there is one. Mappings iterate in key order as files give them.
"""

from harness.spec.templates.rendering import (
    FieldUse,
    Reading,
    TemplateError,
    evaluate,
    read_expression,
    read_template,
    render,
)

__all__ = ["FieldUse", "Reading", "TemplateError", "evaluate", "read_expression", "read_template", "render"]
