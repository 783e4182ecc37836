"""What a scenario says about its browser."""

from __future__ import annotations

from pydantic import Field, field_validator

from harness.environments.sqlite import Bounds, office_time
from harness.environments.sqlite.clock import DEFAULT_NOW
from harness.spec.base import DataFolder, Spec

BOUNDS = Bounds(database_bytes=64 * 2**20, value_bytes=1_000_000)
"""Of the site's database."""


class BrowserOptions(Spec):
    """Options of the kind `browser`."""

    site: DataFolder
    """A folder with `site.sql`, `site.py` and templates (`harness.environments.browser.site`)."""
    host: str = Field("site.example", pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=100)
    """The site's name; nothing is ever looked up under it."""
    start: str = Field("/", pattern=r"^/([^/].*)?$", max_length=500)
    """The page that is open at the beginning."""
    cookies: dict[str, str] = Field(default_factory=dict)
    """What the browser holds at the beginning, such as the session of somebody who is signed in."""
    now: str = DEFAULT_NOW
    """Date and time on the site and in the browser."""
    characters: int = Field(4000, ge=500, le=100_000)
    """Length of one observation."""
    seconds: float = Field(60.0, gt=0, le=600)
    """Wall time of one action with all it brings about; beyond it the trial ends on the environment's account."""

    @field_validator("now")
    @classmethod
    def _now(cls, value: str) -> str:
        return office_time(value)


class BrowserSetup(Spec):
    """What a task adds."""

    sql: str = ""
    """Statements run on this task's copy of the site's database before it opens."""
    start: str | None = Field(None, pattern=r"^/([^/].*)?$", max_length=500)
    """The page that is open at the beginning, in place of the scenario's."""
    cookies: dict[str, str] = Field(default_factory=dict)
    """Added to the scenario's."""
