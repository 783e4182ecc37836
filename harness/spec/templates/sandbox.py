"""The Jinja2 environment that templates and expressions run in: an allow-list, and bounds on everything that grows.

Jinja2's own sandbox keeps templates away from Python's internals; this one also keeps them small and plain.
Before a template is compiled its tree is checked against what is allowed, and loops, new lists, `~` and what
filters read are led through the bounds of `bounds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.parser import Parser
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from harness.spec.library import did_you_mean
from harness.spec.templates import bounds, filters
from harness.spec.templates.rendering import FieldUse

GLOBALS: dict[str, Any] = {"range": filters.bounded_range}

_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.For, nodes.If, nodes.Assign,
    nodes.With, nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.List, nodes.Tuple,
    nodes.Dict, nodes.Pair, nodes.Keyword, nodes.Compare, nodes.Operand, nodes.BinExpr, nodes.UnaryExpr,
    nodes.Concat, nodes.CondExpr, nodes.Call,
)  # fmt: skip


class _Missing(StrictUndefined):
    """A name or field that is not there; using it in any way is an error that says what there is."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        name = self._undefined_name
        if isinstance(self._undefined_obj, Mapping):
            there = [str(key) for key in self._undefined_obj]
            listed = f"; there are {', '.join(there[:12])}" if there else ""
            return f"there is no field {name!r} here{listed}{did_you_mean(str(name), there)}"
        if isinstance(self._undefined_obj, list | tuple | str):
            what = "text" if isinstance(self._undefined_obj, str) else f"list of {len(self._undefined_obj)}"
            return f"a {what} has no {name!r}"
        return f"unknown name {name!r}"


class _Environment(SandboxedEnvironment):
    """See the module."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=_Missing, trim_blocks=True, lstrip_blocks=True, optimized=False, finalize=bounds.as_text
        )
        self.globals = dict(GLOBALS)
        self.filters = {**filters.ALLOWED, **filters.INNER}

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:  # fmt: skip
        return super()._generate(_Bounding().visit(checked(source)), name, filename, defer_init)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in filters.LOOP:
            return getattr(obj, attribute)
        kind = dict if isinstance(obj, Mapping) else list if isinstance(obj, list | tuple) else type(obj)
        method = filters.METHODS.get(kind, {}).get(attribute)
        if method is not None:
            return partial(getattr(type(obj), attribute) if kind in (dict, list) else method, obj)
        if isinstance(obj, Undefined):
            str(obj)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            str(obj)
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        for name in ("_loop_vars", "_block_vars"):
            kwargs.pop(name, None)
        loop_method = isinstance(getattr(__obj, "__self__", None), LoopContext)
        if not (isinstance(__obj, partial) or __obj is filters.bounded_range or loop_method):
            if isinstance(__obj, Undefined):
                str(__obj)
            raise SecurityError("only methods of texts, lists and mappings can be called")
        if isinstance(__obj, partial):
            bounds.read(__obj.args[0])
        return __obj(*args, **kwargs)

    def call_filter(self, name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """A filter named as a text, as `map` does."""
        if name not in filters.ALLOWED:
            raise SecurityError(f"there is no filter {name!r} in templates here")
        return super().call_filter(name, value if name in filters.UNREAD else bounds.read(value), *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)
        if operator == "%" and isinstance(left, str):
            return filters.formatted(left, *(right if isinstance(right, tuple) else (right,)))
        if operator == "%":
            return left % right
        return {"+": bounds.add, "*": bounds.multiply, "**": bounds.power}[operator](left, right)


class _Bounding(NodeTransformer):
    """Leads loops, new lists and mappings, `~`, and what filters read through their bounds."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _filtered(node.iter, filters.TURNS)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return self._literal(node, node.items)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        return self._literal(node, node.items) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return self._literal(node, [pair.value for pair in node.items])

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, filters.READ) if isinstance(node.arg, nodes.Slice) else node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if node.node is not None and node.name not in filters.UNREAD:
            node.node = _filtered(node.node, filters.READ)
        return node

    def _literal(self, node: nodes.Expr, items: list[nodes.Expr]) -> nodes.Node:
        self.generic_visit(node)
        return node if all(isinstance(item, nodes.Const) for item in items) else _filtered(node, filters.KEPT)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), filters.CONCAT)


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


_ENVIRONMENT = _Environment()


def parse_template(source: str) -> nodes.Template:
    """The checked tree of a template."""
    return checked(_ENVIRONMENT.parse(source))


def parse_expression(source: str) -> nodes.Template:
    """The checked tree of an expression, as a template that gives it the name `_result`."""
    parser = Parser(_ENVIRONMENT, source, state="variable")
    expression = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError("one expression is wanted, and something follows it", parser.stream.current.lineno)
    tree = nodes.Template([nodes.Assign(nodes.Name("_result", "store"), expression, lineno=1)], lineno=1)
    tree.set_environment(_ENVIRONMENT)
    return checked(tree)


def checked(tree: nodes.Template) -> nodes.Template:
    """The tree, if it holds only what is allowed. Raises `TemplateSyntaxError`."""
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED_NODES) or (isinstance(node, nodes.For) and node.recursive):
            what = "recursive loop" if isinstance(node, nodes.For) else type(node).__name__.lower()
            raise TemplateSyntaxError(f"{what!r} is not offered in templates here", node.lineno)
        if isinstance(node, nodes.Name) and node.name == "self":
            raise TemplateSyntaxError("'self' is not offered in templates here", node.lineno)
        if isinstance(node, nodes.Filter):
            _check_name(node, "filter", filters.ALLOWED)
        elif isinstance(node, nodes.Test):
            _check_name(node, "test", _ENVIRONMENT.tests)
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            loop = isinstance(node.node.node, nodes.Name) and node.node.node.name == "loop"
            known = filters.LOOP if loop else filters.METHOD_NAMES
            if node.node.attr not in known:
                hint = did_you_mean(node.node.attr, sorted(known))
                raise TemplateSyntaxError(
                    f"there is no method .{node.node.attr}() in templates here{hint}", node.lineno
                )
    return tree


def _check_name(node: nodes.Filter | nodes.Test, what: str, known: Mapping[str, Any]) -> None:
    if node.name not in known:
        message = f"there is no {what} {node.name!r} in templates here{did_you_mean(node.name, sorted(known))}"
        raise TemplateSyntaxError(message, node.lineno)


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


@lru_cache(maxsize=4096)
def _compiled_expression(source: str) -> Template:
    return _ENVIRONMENT.from_string(parse_expression(source))


def render(source: str, context: Mapping[str, Any]) -> str:
    """The text of a template. Raises what Jinja2 and the template's own operations raise."""
    parts: list[str] = []
    length = 0
    with bounds.budget():
        for part in _compiled(source).generate(dict(context)):
            length += len(part)
            if length > bounds.MAX_OUTPUT:
                raise SecurityError(f"the text has more than {bounds.MAX_OUTPUT} characters")
            parts.append(part)
    return "".join(parts)


def evaluate(source: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression, lists instead of Jinja2's generators."""
    template = _compiled_expression(source)
    with bounds.budget():
        names = template.new_context(dict(context))
        for _ in template.root_render_func(names):
            pass
        value = names.vars["_result"]
        if isinstance(value, Undefined):
            str(value)
        return list(value) if isinstance(value, Iterator) else value


def field_uses(tree: nodes.Node, guarded: bool = False) -> Iterator[FieldUse]:
    """Look-ups of a field that stands there by name."""
    for node in tree.iter_child_nodes():
        inner = guarded or _guards(node)
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            yield FieldUse(node.node.name, node.attr, node.lineno, inner or _is_called(node, tree))
        elif isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name):
            key = node.arg.value if isinstance(node.arg, nodes.Const) else None
            if isinstance(key, str):
                yield FieldUse(node.node.name, key, node.lineno, inner)
        yield from field_uses(node, inner)


def _guards(node: nodes.Node) -> bool:
    """Below this a missing field is no error."""
    if isinstance(node, nodes.Filter):
        return node.name in ("default", "d")
    return isinstance(node, nodes.Test) and node.name in ("defined", "undefined")


def _is_called(node: nodes.Node, parent: nodes.Node) -> bool:
    return isinstance(parent, nodes.Call) and parent.node is node
