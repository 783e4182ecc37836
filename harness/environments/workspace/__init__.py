"""The kind `workspace`: files, a repository where the task has one, and a shell, in a sandbox of its own."""

from __future__ import annotations

from harness.environments.workspace.options import (
    NoWorkspaceError,
    Repository,
    WorkspaceLimits,
    WorkspaceOptions,
    WorkspaceSetup,
    open_workspace_session,
    sandbox_level,
)
from harness.environments.workspace.state import WorkspaceState
from harness.environments.workspace.workspace import Workspace

__all__ = [
    "NoWorkspaceError",
    "Repository",
    "Workspace",
    "WorkspaceLimits",
    "WorkspaceOptions",
    "WorkspaceSetup",
    "WorkspaceState",
    "open_workspace_session",
    "sandbox_level",
]
