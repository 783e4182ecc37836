"""From a scaffold's YAML to a LangGraph graph, and through it with one trial.

- `compile_scaffold` makes the graph, once per scaffold; `run_scaffold` takes a trial through it.
- `draw_text` and `draw_mermaid` show it.
- `TrialContext` is what a trial brings along, `Outcome` how it ended, `Recorder` what takes it down.
- `validate_arguments` holds arguments to a tool's schema.
"""

from __future__ import annotations

from harness.scaffolds.compile import CompiledScaffold, compile_scaffold
from harness.scaffolds.context import Outcome, Recorder, TrialContext
from harness.scaffolds.draw import draw_mermaid, draw_text
from harness.scaffolds.protocols import validate_arguments
from harness.scaffolds.run import run_scaffold

__all__ = [
    "CompiledScaffold",
    "Outcome",
    "Recorder",
    "TrialContext",
    "compile_scaffold",
    "draw_mermaid",
    "draw_text",
    "run_scaffold",
    "validate_arguments",
]
