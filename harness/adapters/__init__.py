"""Other people's environments, each run by its own package in a worker process; pages, in the browser of the run.

They are plug-ins like anyone's: found through this package's entry point of the group `harness`. A kind's class,
its options and set-up import nothing of the package they adapt; that happens in the worker.
"""

from __future__ import annotations

from harness.environments.plugins import hookimpl


@hookimpl
def harness_environments() -> dict[str, str]:
    """Return the kinds of the adapters that come with the harness."""
    return {
        "agentdojo": "harness.adapters.agentdojo:AgentDojo",
        "gymnasium": "harness.adapters.gymnasium:Gymnasium",
        "miniwob": "harness.adapters.miniwob:MiniWob",
        "tau2": "harness.adapters.tau2:Tau2",
        "textarena": "harness.adapters.textarena:TextArena",
    }
