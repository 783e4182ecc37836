"""Fixtures of the models' tests: a real server on loopback, and an environment without anybody's keys."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from models.openai_server import MockOpenAI


@pytest.fixture
def server() -> Iterator[MockOpenAI]:
    with MockOpenAI() as running:
        yield running


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_BASE", "_BASE_URL")):
            monkeypatch.delenv(name)
