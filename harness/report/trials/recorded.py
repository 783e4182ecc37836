"""One trial, to be read from top to bottom: who did what in which node, what came back, where it went wrong.

Everything in it was written by a model, a tool or an environment, and is made harmless before it is printed
(`harness.report.plain`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.record import CallEvent, NodeEvent, ToolEvent, TrialRecord
from harness.report import cells
from harness.report.plain import harmless, one_line
from harness.spec.actions import Action, canonical_json

if TYPE_CHECKING:
    from rich.console import Console

BOUND = 600
"""Characters shown of one text unless all is asked for."""
LINES = 12
FAILED = "red"


def draw_trajectory(console: Console, record: TrialRecord, sweep: str, full: bool = False) -> None:
    """Draw header, steps and checks; texts bounded to 600 characters and 12 lines unless `full`."""
    _Drawing(console, record, full).draw(sweep)


class _Drawing:
    def __init__(self, console: Console, record: TrialRecord, full: bool) -> None:
        self.console, self.record, self.full = console, record, full
        self.step: int | None = None
        self.lanes = {event.lane for event in record.document.events}
        self.roles = {event.role for event in record.document.events if not isinstance(event, NodeEvent)}
        self.drifted = next((found.step for found in record.drift if found.what != "end"), None)
        """The step after which the way is no longer the one recorded."""

    def draw(self, sweep: str) -> None:
        self._header(sweep)
        self._opening()
        for event in self.record.document.events:
            if isinstance(event, CallEvent):
                self._call(event)
            elif isinstance(event, ToolEvent):
                self._tool(event)
            else:
                self._node(event)
        self._ending()

    def _header(self, sweep: str) -> None:
        row = self.record.row
        models = row.model if set(row.models.values()) <= {row.model} else f"{row.model} (" + ", ".join(
            f"{role}: {model}" for role, model in row.models.items()) + ")"  # fmt: skip
        self._line(f"{row.trial}  {row.scenario}/{row.task}", "bold")
        tokens = (
            None
            if row.prompt_tokens is None or row.completion_tokens is None
            else row.prompt_tokens + row.completion_tokens
        )
        spent = [f"{row.turns} turns", "tokens unknown" if tokens is None else f"{tokens} tokens"]
        spent += ["cost unknown" if row.cost is None else f"${row.cost:.4f}", f"{row.seconds:.1f} s"]
        fields = {
            "sweep": sweep,
            "model": models,
            "scaffold": row.scaffold,
            "repeat": f"{row.repeat}, attempt {row.attempt}, seed {row.seed}",
            "ended": _ended(row.state, row.limit, row.fault, row.error),
            "passed": "not graded" if row.passed is None else "yes" if row.passed else "no",
            "score": "none" if row.score is None else f"{row.score:.2f}",
            "spent": ", ".join(spent) + (f", {row.retries} failed attempts" if row.retries else ""),
            "sandbox": row.sandbox or "",
            "way": _way(self.record),
            "drift": _drift(self.record),
        }
        for name, text in fields.items():
            if text:
                bad = (
                    name == "drift" or (name == "passed" and text == "no") or (name == "ended" and row.state == "fault")
                )
                self._line(f"  {name:<9}{one_line(text)}", FAILED if bad else "")

    def _opening(self) -> None:
        """What each voice was told before its first answer; what it heard of others stands where it heard it."""
        document = self.record.document
        heard = {(event.role, event.detail.get("text")) for event in document.events
                 if isinstance(event, NodeEvent) and event.kind == "hear"}  # fmt: skip
        seen: set[str] = set()
        for event in document.events:
            if isinstance(event, CallEvent) and event.base is None and event.role not in seen:
                seen.add(event.role)
                for digest in event.add:
                    message = document.messages.get(digest, {})
                    if (event.role, _content(message)) in heard:
                        continue
                    self.console.print()
                    self._line(f"{message.get('role', 'message')} -> {event.role}", "bold")
                    self._text(_content(message), indent=2, style="dim")

    def _heading(self, event: CallEvent | ToolEvent | NodeEvent, what: str) -> None:
        if event.step != self.step:
            self.console.print()
        self.step = event.step
        where = [event.node]
        if event.role and len(self.roles) > 1:
            where.append(event.role)
        if len(self.lanes) > 1:
            where.append(f"lane {event.lane}")
        told = [what] if what else []
        told += ["after drift"] if self.drifted is not None and event.step > self.drifted else []
        self._line(f"[{event.step}] {' / '.join(where)}{'  ' if told else ''}{', '.join(told)}", "bold cyan")

    def _call(self, event: CallEvent) -> None:
        counts = ["replayed" if event.replayed else f"{event.model}"]
        if event.prompt_tokens is not None and event.completion_tokens is not None:
            counts.append(f"{event.prompt_tokens} + {event.completion_tokens} tokens")
        counts.append(f"{event.seconds:.1f} s" + (f" (waited {event.waited:.1f} s)" if event.waited >= 0.1 else ""))
        if event.finish == "length":
            counts.append("cut off at the token limit")
        self._heading(event, ", ".join(counts))
        changes = (event.receipt or {}).get("translated")
        for change in changes if isinstance(changes, list) else ():
            self._text(str(change), indent=2, style="dim", label="translated: ")
        message = self.record.document.messages.get(event.reply or "", {})
        thought = message.get("reasoning_content")
        if isinstance(thought, str) and thought.strip():
            self._text(thought, indent=2, style="dim italic", label="thinks: ")
        if not any(action.text for action in event.actions) and _content(message).strip() and not event.actions:
            self._text(_content(message), indent=2)
        for action in event.actions:
            self._action(action)
        if event.error:
            self._text(event.error, indent=2, style=FAILED, label="failed: ")

    def _action(self, action: Action) -> None:
        if action.text.strip():
            self._text(action.text, indent=2, label="says: " if action.kind == "say" else "")
        if action.kind in ("tool", "submit"):
            self._text(f"{action.name or action.kind} {canonical_json(action.as_sent)}", indent=2, label="> ")
        elif action.kind in ("malformed", "cut_off"):
            sent = (
                action.sent
                if isinstance(action.sent, str)
                else canonical_json(action.as_sent)
                if action.as_sent
                else ""
            )
            title = f"{action.kind.upper().replace('_', ' ')} {action.name}".rstrip()
            self._text(f"{title}: {action.error}", indent=2, style=FAILED, label="! ")
            if sent.strip():
                self._text(sent, indent=4, style="dim")
        elif action.kind == "refuse":
            self._text("REFUSED", indent=2, style=FAILED, label="! ")

    def _tool(self, event: ToolEvent) -> None:
        if event.step != self.step:
            self._heading(event, "")
        drift = event.data.get("drift")
        marks = ["error"] if event.error else []
        marks += ["changes the state"] if event.changes_state else []
        marks += ["DRIFT: not what was recorded at this point"] if drift else []
        name = event.action.name or event.action.kind
        self._line(f"  < {name}, {event.seconds:.2f} s{''.join(f', {mark}' for mark in marks)}",
                   FAILED if event.error or drift else "green")  # fmt: skip
        self._text(event.observation or "(nothing)", indent=4)

    def _node(self, event: NodeEvent) -> None:
        self._heading(event, event.kind)
        told = {name: value for name, value in event.detail.items() if name != "text"}
        text = event.detail.get("text")
        if isinstance(text, str):
            self._text(text, indent=2, label=f"to {event.role}: " if event.role else "")
        elif event.kind == "hear":
            self._text("(nothing new)", indent=2, style="dim")
        if told:
            self._text(
                ", ".join(f"{name} {canonical_json(value)}" for name, value in told.items()), indent=2, style="dim"
            )

    def _ending(self) -> None:
        row, record = self.record.row, self.record
        self.console.print()
        if row.answer is not None:
            self._line("answer", "bold")
            self._text(row.answer or "(empty)", indent=2)
        if record.checks:
            self._line("checks", "bold")
        for check in record.checks:
            score = "not run" if check.score is None else f"{check.score:.2f}"
            text = f"{score}  {check.name} ({check.kind}, weight {cells.short(check.weight)})"
            detail = check.error or check.detail
            self._text(f"{text}{': ' if detail else ''}{detail}", indent=2, style="" if check.score == 1.0 else FAILED)
        if record.document.error_detail:
            self._line("behind the fault", "bold")
            self._text(record.document.error_detail, indent=2, style="dim")

    def _line(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self.console.print(Text(harmless(text).replace("\n", " "), style=style, overflow="fold"))

    def _text(self, text: str, indent: int, style: str = "", label: str = "") -> None:
        """A text of several lines, indented, bounded, and broken at the width."""
        from rich.padding import Padding
        from rich.text import Text

        shown, left = bounded(harmless(text), self.full)
        body = Text(label + shown.expandtabs(4), style=style, overflow="fold")
        self.console.print(Padding(body, (0, 0, 0, indent)))
        if left:
            self.console.print(Padding(Text(left, style="dim"), (0, 0, 0, indent)))


WAYS = {
    "fork": "forked from {trial} of {sweep}, onto {suffix}",
    "relay": "taken over from {trial} of {sweep}: {prefix} to {suffix}",
    "probe": "asked at {trial} of {sweep}",
    "replay": "replayed from {trial} of {sweep}",
    "seats": "seats traded, after {sweep}",
    "perturb": "another surface, after {sweep}",
}


def _way(record: TrialRecord) -> str:
    """Where the trial set out from; empty for one of an ordinary sweep."""
    line = record.lineage
    if line is None:
        return ""
    if line.origin is None and line.kind not in ("seats", "perturb"):
        return f"{line.kind} of {line.sweep}, from the beginning"
    told = WAYS[line.kind].format(
        trial=f"{line.origin}@{line.at}", sweep=line.sweep, prefix=line.prefix, suffix=line.suffix or record.row.model
    )
    handed = line.factors.get("handed")
    return told + (f", for role {handed} alone" if handed else "")


def _drift(record: TrialRecord) -> str:
    """What came out different on the way back, the first of it."""
    if not record.drift:
        return ""
    first = record.drift[0]
    count = f"{len(record.drift)} thing{'' if len(record.drift) == 1 else 's'}"
    old, new = (bounded(one_line(text or "nothing"), False)[0][:80] for text in (first.recorded, first.replayed))
    return f"{count} came out different; first the {first.what} of step {first.step} ({first.node}): {old} / {new}"


def bounded(text: str, full: bool) -> tuple[str, str]:
    """What is shown of a text, and what is said of the rest."""
    text = text.rstrip()
    if full:
        return text, ""
    lines = text.split("\n")
    shown = "\n".join(lines[:LINES])[:BOUND]
    if len(shown) >= len(text):
        return text, ""
    return shown.rstrip(), f"... {len(text) - len(shown)} more characters (--full shows them)"


def _content(message: dict[str, object]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", part)) if isinstance(part, dict) else str(part) for part in content)
    return ""


def _ended(state: str, limit: str | None, fault: str | None, error: str | None) -> str:
    text = state
    if limit:
        text += f": {limit}"
    if fault:
        text += f" of the {fault}"
    return f"{text} ({error})" if error else text
