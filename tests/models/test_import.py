"""Importing the room is light, and building no remote model imports no litellm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import harness

CODE = """
import json, sys
import harness.models
from harness.models import check_parameters, price_of, redact
from harness.spec.resolved import LoadedModel
from harness.spec.sweep import ModelEntry
from pathlib import Path
entry = LoadedModel("m", ModelEntry(model="local/x"), Path("models.yaml"), "0")
check_parameters(entry, {"temperature": 1}); price_of(entry); redact("x")
heavy = ("litellm", "openai", "httpx", "aiohttp", "tenacity", "langgraph", "pandas", "orjson", "xllamacpp", "rich")
print(json.dumps([name for name in heavy if name in sys.modules]))
"""


def test_nothing_heavy_is_imported() -> None:
    found = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []


SWITCHES = """
import os, json
before = dict(os.environ)
from harness.models.remote import load_litellm
litellm = load_litellm()
changed = {k: v for k, v in os.environ.items() if before.get(k) != v}
print(json.dumps([changed, litellm.drop_params, litellm.num_retries, litellm.callbacks]))
"""


def test_litellm_is_loaded_without_downloads_and_otherwise_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_DOTENV=1\n")
    found = subprocess.run(
        [sys.executable, "-c", SWITCHES], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=120,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(harness.__file__).parent.parent)},
    )  # fmt: skip
    changed, drop_params, num_retries, callbacks = json.loads(found.stdout)
    assert changed["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert "FROM_DOTENV" not in changed
    assert all(name.startswith("LITELLM_") for name in changed), changed
    assert (drop_params, num_retries, callbacks) == (False, None, [])
    assert found.stderr == ""
