"""A scaffold drawn: as Mermaid for documents and browsers, as text for terminals."""

from __future__ import annotations

from harness.spec.scaffold import (
    END,
    ActNode,
    BranchNode,
    GenerateNode,
    HearNode,
    JoinNode,
    Node,
    PythonNode,
    RouteNode,
    SayNode,
    Scaffold,
    UseNode,
)

_LONGEST = 60


def draw_mermaid(flat: Scaffold) -> str:
    """The graph as a Mermaid flowchart; conditions are edge labels, branches dotted with their number of lanes."""
    ids = {name: f"n{number}" for number, name in enumerate(flat.nodes)}
    ids[END] = "finish"
    lines = ["flowchart TD", f"    begin((start)) --> {ids.get(flat.start, 'missing')}"]
    for name, node in flat.nodes.items():
        left, right = _SHAPES[node.kind]
        lines.append(f'    {ids[name]}{left}"{_escaped(name)}<br/>{_escaped(_about(node))}"{right}')
    lines.append("    finish((end))")
    for name, node in flat.nodes.items():
        dotted = isinstance(node, BranchNode)
        for target, label in _edges(node):
            arrow = "-.->" if dotted else "-->"
            text = f'|"{_escaped(_short(label))}"|' if label else ""
            lines.append(f"    {ids[name]} {arrow}{text} {ids.get(target, 'missing')}")
    return "\n".join(lines) + "\n"


def draw_text(flat: Scaffold) -> str:
    """The graph as a list of nodes in the order they are reached, each with its edges."""
    lines = [f"{flat.name}: {' '.join(flat.summary.split())}", f"protocol: {_protocol(flat)}"]
    for role, spec in flat.roles.items():
        voice = "seat" if spec.seat else "inner voice"
        through = f", speaks through {spec.model_of}" if spec.model_of else ""
        lines.append(f"role {role}: {voice}{through}")
    if flat.variables:
        lines.append(f"variables: {', '.join(flat.variables)}")
    lines.append("")
    width = max(len(name) for name in flat.nodes)
    order = _order(flat)
    for name in order:
        node = flat.nodes[name]
        mark = ">" if name == flat.start else " "
        lines.append(f"{mark} {name:<{width}}  {_about(node)}")
        for target, label in _edges(node):
            condition = f"  {_short(label)}" if label else ""
            lines.append(f"  {'':<{width}}    -> {target}{condition}")
    unreached = [name for name in flat.nodes if name not in order]
    if unreached:
        lines.append(f"never reached: {', '.join(unreached)}")
    return "\n".join(lines) + "\n"


def _edges(node: Node) -> list[tuple[str, str]]:
    """Targets with their labels, as written."""
    if isinstance(node, RouteNode):
        return [*((case.to, f"if {case.when}") for case in node.cases), (node.otherwise, "otherwise")]
    if isinstance(node, BranchNode):
        return [(node.to, f"{node.copies} lanes, joined in {node.join}")]
    return [(node.next, "unless submitted" if isinstance(node, ActNode) and node.next != END else "")]


def _about(node: Node) -> str:
    """What a node does, in a few words."""
    if isinstance(node, GenerateNode):
        if isinstance(node.tools, bool):
            offered = "" if node.tools else ", no tools"
        else:
            offered = f", tools {' '.join(node.tools)}"
        save = f", saved in {node.save}" if node.save else ""
        return f"generate: {node.role}{offered}{save}"
    if isinstance(node, SayNode):
        return f"say to {node.role}: {_short(node.text)}"
    if isinstance(node, ActNode):
        return f"act: {node.role}" + (f", words as {node.words}" if node.words else "")
    if isinstance(node, HearNode):
        return f"hear: {node.role}"
    if isinstance(node, JoinNode):
        return f"join: {node.pick}"
    if isinstance(node, PythonNode):
        return f"python: {node.function}"
    if isinstance(node, UseNode):
        return f"use: {node.scaffold}"
    return node.kind


def _order(flat: Scaffold) -> list[str]:
    """Nodes as a walk from the start meets them, in depth and in the order written."""
    order: list[str] = []
    ahead = [flat.start]
    while ahead:
        name = ahead.pop()
        if name in order or name not in flat.nodes:
            continue
        order.append(name)
        node = flat.nodes[name]
        onward = [target for target, _ in _edges(node)]
        if isinstance(node, BranchNode):
            onward.append(node.join)
        ahead.extend(reversed(onward))
    return order


def _protocol(flat: Scaffold) -> str:
    parts: list[str] = [flat.protocol.kind]
    parts += [name for name in ("thought", "reply") if getattr(flat.protocol, name)]
    return ", ".join(parts)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"


def _escaped(text: str) -> str:
    """Safe inside a quoted Mermaid label."""
    for mark, code in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;"), ("#", "&num;")):
        text = text.replace(mark, code)
    return text


_SHAPES = {
    "generate": ("(", ")"),
    "act": ("[", "]"),
    "hear": ("[\\", "\\]"),
    "say": ("[/", "/]"),
    "route": ("{", "}"),
    "branch": ("[[", "]]"),
    "join": ("[[", "]]"),
    "python": ("[(", ")]"),
    "use": ("[", "]"),
}
