"""What a scenario and a task say about an MCP server, its tools and the files it works on."""

from __future__ import annotations

from typing import Self

from pydantic import Field, JsonValue, field_validator, model_validator

from harness.environments.packages import Packages
from harness.environments.workspace import WorkspaceLimits, WorkspaceOptions, WorkspaceSetup
from harness.spec.base import DataFolder, DataPath, Spec, UserError


class ServerPackages(Spec):
    """What `harness install` installs for a server, in a folder of its own."""

    pip: tuple[str, ...] = ()
    """Such as `mcp-server-git==2026.10.19`."""
    npm: tuple[str, ...] = ()
    """Such as `@modelcontextprotocol/server-memory@2026.8.31`."""


class Server(Spec):
    """An MCP server: a command spoken to over stdio, or an address spoken to over streamable HTTP."""

    command: tuple[str, ...] = ()
    """Program and arguments. `python` is the Python of the pip packages, or the harness's own; the working folder
    is `/workspace`."""
    packages: ServerPackages = ServerPackages()
    """Where the program comes from; without any it is looked for on the machine."""
    folder: DataFolder | None = None
    """A program of one's own, beside the scenario: shown to the server read-only as `/server`."""
    env: dict[str, str] = Field(default_factory=dict)
    """Variables of the server's environment; it gets none of the harness's."""
    sandbox: bool = True
    """Whether it runs in a sandbox, without a network. Off only for a server that you would run yourself; every
    trial's record says so."""
    in_memory: bool = False
    """The server keeps more of the world than its files: then there are no snapshots of it."""
    url: str | None = Field(None, pattern=r"^https?://")
    """Such as `http://127.0.0.1:8000/mcp`. One server for all trials, each with a session of its own."""
    url_env: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The variable of the harness's environment that holds the address."""
    headers_env: dict[str, str] = Field(default_factory=dict)
    """HTTP header -> variable of the harness's environment that holds its value, such as a token."""
    start_seconds: float = Field(60.0, gt=0, le=600)
    """Until it has told its tools."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [bool(self.command), self.url is not None, self.url_env is not None]
        if sum(ways) != 1:
            raise ValueError("a server has one of: command, url, url_env")
        try:
            wanted = self.wanted
        except UserError as error:
            raise ValueError(str(error)) from error
        if not self.command and (self.env or self.folder or wanted is not None):
            raise ValueError("env, folder and packages are for a server that is started with a command")
        if self.command and self.headers_env:
            raise ValueError("headers_env is for a server with an address")
        return self

    @property
    def wanted(self) -> Packages | None:
        """The packages to be installed, if any. Raises `UserError` for pins that are none."""
        pip, npm = self.packages.pip, self.packages.npm
        return Packages(pip, npm) if pip or npm else None


class PinnedTool(Spec):
    """What a server said of a tool when its tools were written down: this is what models are shown."""

    description: str = Field(min_length=1)
    parameters: dict[str, JsonValue]
    """JSON schema, made closed."""
    changes_state: bool = True
    """False promises that calling it twice, or not at all, leaves the world the same."""


class StateCall(Spec):
    """A call by which the server tells its state, for checks; made after the last action, unseen by the model."""

    tool: str
    """The server's own name of it; it need not be offered to any role."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class McpLimits(Spec):
    """What a trial's server may use of the machine, and how much of its answers is shown."""

    memory_mb: int = Field(512, ge=32, le=65_536)
    """Of all its processes together."""
    disk_mb: int = Field(64, ge=1, le=16_384)
    """Of the working folder; `/tmp` has as much again."""
    files: int = Field(20_000, ge=100, le=1_000_000)
    """Files and folders."""
    processes: int = Field(128, ge=8, le=4096)
    """And threads, at one time."""
    seconds: float = Field(30.0, gt=0, le=3600)
    """For one call."""
    output_chars: int = Field(8000, ge=100, le=1_000_000)
    """Of an answer, as the model sees it; the middle is left out."""
    state_mb: int = Field(16, ge=1, le=1024)
    """Of the final files that are kept for checks and for the record."""


class McpOptions(Spec):
    """The `environment` block of a scenario."""

    server: Server
    tools: dict[str, PinnedTool] | list[str] | None = None
    """The tools, each with what is to be held to; or, with `tools_file`, the names of those that are offered."""
    tools_file: DataPath | None = None
    """The same in a file, as `harness tools SCENARIO --write` writes it."""
    files: DataFolder | None = None
    """What the server's working folder holds at the start."""
    prepare: DataPath | None = None
    """A shell script that is run once, in a sandbox, on those files: what it leaves is what every trial begins with."""
    state_call: StateCall | None = None
    limits: McpLimits = McpLimits()

    @field_validator("tools")
    @classmethod
    def _some(cls, value: dict[str, PinnedTool] | list[str] | None) -> dict[str, PinnedTool] | list[str] | None:
        if value is not None and not value:
            raise ValueError("name at least one tool, or leave this out")
        return value

    @model_validator(mode="after")
    def _known_tools(self) -> Self:
        if isinstance(self.tools, dict) == (self.tools_file is not None):
            raise ValueError(
                "the tools are pinned in one place: in tools, or in tools_file (write it with: harness tools SCENARIO "
                "--write)"
            )
        if not self.server.command and (self.files is not None or self.prepare is not None):
            raise ValueError("files and prepare are for a server that is started with a command")
        return self


class McpSetup(Spec):
    """The `setup` block of a task; laid over the files of the environment."""

    folder: DataFolder | None = None
    """Copied in."""
    files: dict[str, str] = Field(default_factory=dict)
    """Path in the working folder -> text."""


def as_workspace(options: McpOptions, setup: McpSetup) -> tuple[WorkspaceOptions, WorkspaceSetup]:
    """The server's working folder as a workspace: how its files are laid out, kept and checked."""
    shared = {
        name: getattr(options.limits, name) for name in ("memory_mb", "disk_mb", "files", "processes", "state_mb")
    }
    limits = WorkspaceLimits.model_validate(shared)
    return WorkspaceOptions(files=options.files, limits=limits), WorkspaceSetup(folder=setup.folder, files=setup.files)
