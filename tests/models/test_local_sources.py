"""What `local/...` may name: the catalogue, Hugging Face, a file on disk."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from models.calling import loaded
from models.hub_server import HubServer

from harness.models import ModelSetupError, check_parameters, is_local, price_of
from harness.models.local import catalogue, fetch_missing, fetched, source_of
from harness.models.local.hub import HubFile

CONTENT = b"GGUF, as far as this test is concerned"
FETCH = """
import json, sys
from harness.models import ModelSetupError
from harness.models.local import fetched
from harness.models.local.hub import HubFile
try:
    weights = fetched(HubFile(*json.loads(sys.argv[1])))
    print(json.dumps([weights.path.read_bytes().decode(), weights.sha256]))
except ModelSetupError as error:
    print(json.dumps(str(error)))
"""


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer({"someone/tiny-GGUF/tiny.gguf": CONTENT}) as running:
        yield running


def fetch(hub: HubServer, home: Path, *source: str | None, **environment: str) -> object:
    """What a process of its own gets: the client reads its variables once, when imported."""
    variables = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HARNESS_MODELS_DIR": str(home),
        "HF_HUB_DISABLE_XET": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", FETCH, json.dumps(source)],
        env=os.environ | variables | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_file_of_the_hub_is_fetched_once_from_the_endpoint_set(hub: HubServer, tmp_path: Path) -> None:
    expected = [CONTENT.decode(), hashlib.sha256(CONTENT).hexdigest()]
    assert fetch(hub, tmp_path, "someone/tiny-GGUF", "tiny.gguf", None) == expected
    assert any(seen.startswith("GET /someone/tiny-GGUF/resolve/main/tiny.gguf") for seen in hub.seen)
    hub.seen.clear()
    assert fetch(hub, tmp_path, "someone/tiny-GGUF", "tiny.gguf", None, HF_HUB_OFFLINE="1") == expected
    assert hub.seen == []


def test_offline_without_the_file_says_what_to_do(hub: HubServer, tmp_path: Path) -> None:
    said = fetch(hub, tmp_path, "someone/tiny-GGUF", "tiny.gguf", None, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE" in str(said)
    assert "local/path:" in str(said)
    assert hub.seen == []


def test_a_file_the_hub_does_not_have_is_one_line(hub: HubServer, tmp_path: Path) -> None:
    said = fetch(hub, tmp_path, "someone/tiny-GGUF", "huge.gguf", None)
    assert said == "someone/tiny-GGUF/huge.gguf: cannot be fetched from Hugging Face: the repository has no such file"


@pytest.mark.parametrize(
    ("model", "source"),
    [
        ("local/smollm2-135m", catalogue()["smollm2-135m"]),
        ("local/hf:a/b/c.gguf", HubFile("a/b", "c.gguf", None)),
        ("local/hf:a/b@main/d/c.gguf", HubFile("a/b", "d/c.gguf", "main")),
        ("local/path:/x/y.gguf", Path("/x/y.gguf")),
        ("local/path:y.gguf", Path.cwd() / "y.gguf"),
    ],
)
def test_the_forms_of_a_model_string(model: str, source: object) -> None:
    assert source_of(loaded(model)) == source
    assert is_local(loaded(model))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "local/smolm2-135m",
            r"there is no local model 'smolm2-135m' \(did you mean smollm2-135m\?\); the catalogue has ",
        ),
        ("local/hf:a/b", "write local/hf:OWNER/REPOSITORY/FILE.gguf"),
        ("local/path:", "write local/path:FILE.gguf"),
    ],
)
def test_a_string_that_names_nothing_says_what_would(model: str, said: str) -> None:
    with pytest.raises(ModelSetupError, match=said):
        source_of(loaded(model))


def test_a_file_on_disk_is_known_by_size_and_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_MODELS_DIR", str(tmp_path / "models"))
    file = tmp_path / "mine.gguf"
    file.write_bytes(CONTENT)
    described = fetched(file).describe(file)
    assert described == f"mine.gguf ({len(CONTENT)} bytes, sha256:{hashlib.sha256(CONTENT).hexdigest()})"
    file.write_bytes(CONTENT + b"!")
    assert fetched(file).sha256 == hashlib.sha256(CONTENT + b"!").hexdigest()


@pytest.mark.skipif(
    find_spec("xllamacpp") is None, reason="needs the [local] extra: pip install 'scaffold-harness[local]'"
)
def test_problems_are_told_at_plan_time() -> None:
    assert check_parameters(loaded("local/smollm2-135m", parameters={"temperature": 0.7, "n_ctx": 2048}), {}) == []
    for entry, said in (
        ({"model": "local/nothing"}, "there is no local model"),
        ({"model": "local/path:/nowhere/x.gguf"}, "there is no file /nowhere/x.gguf"),
        ({"model": "local/gemma-270m-base"}, "without a chat template"),
        ({"model": "local/smollm2-135m", "parameters": {"n_ctx": "many"}}, "n_ctx is a whole number"),
        ({"model": "local/smollm2-135m", "parameters": {"temperatur": 1}}, "did you mean temperature?"),
    ):
        (problem,) = check_parameters(loaded(**entry), {})
        assert problem.startswith("model 'm': ")
        assert said in problem


def test_a_local_call_is_known_to_cost_nothing() -> None:
    price = price_of(loaded("local/smollm2-135m"))
    assert price is not None
    assert (price.prompt, price.completion) == (0.0, 0.0)


def test_the_missing_engine_names_the_extra(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['xllamacpp'] = None\n"
    program = hidden + (
        "from pathlib import Path\n"
        "from harness.models import Accounts, ModelSetupError, build_model\n"
        "from harness.spec import bare_model\n"
        "try: build_model(bare_model('local/smollm2-135m', Path('m.yaml')), parameters={}, accounts=Accounts())\n"
        "except ModelSetupError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "need the [local] extra: pip install 'scaffold-harness[local]'" in done.stdout, done.stderr


def test_what_a_run_lacks_is_fetched_before_it(tmp_path: Path) -> None:
    here = tmp_path / "here.gguf"
    here.write_bytes(CONTENT)
    fetch_missing([loaded("openai/gpt-5"), loaded(f"local/path:{here}")])
    with pytest.raises(ModelSetupError, match=r"nowhere\.gguf: cannot be read: no such file"):
        fetch_missing([loaded(f"local/path:{tmp_path}/nowhere.gguf")])
