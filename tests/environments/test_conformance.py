"""Every promise of the protocol, for every kind: tiny worlds in which things are read, changed, and go wrong.

The shipped scenarios are held to the same promises in `tests/conformance`, with their gold solutions.
"""

import asyncio
import time
from pathlib import Path

import pytest
from environments.worlds import WORLDS, World

from harness.conformance import PROMISES, Promise, look
from harness.environments import BUILT_IN


@pytest.fixture(params=WORLDS, ids=str)
def world(request: pytest.FixtureRequest) -> World:
    for name in request.param.fixture:
        request.getfixturevalue(name)
    return request.param


def test_every_built_in_kind_is_here() -> None:
    assert set(BUILT_IN) <= {world.kind for world in WORLDS}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name.replace(" ", "-"))
def test_a_promise_is_kept(world: World, promise: Promise, tmp_path: Path) -> None:
    found = asyncio.run(look(world.case(tmp_path), promise, many=world.many))
    assert found.outcome != "broken", found.detail


@pytest.mark.slow
def test_a_hundred_open_at_once_see_what_one_alone_would(world: World, tmp_path: Path) -> None:
    promise = next(promise for promise in PROMISES if promise.name == "many at once")
    began, used = time.monotonic(), time.process_time()
    found = asyncio.run(look(world.case(tmp_path), promise, many=100))
    print(f"{world.kind}: {time.monotonic() - began:.1f} s, {time.process_time() - used:.1f} s of this process")
    assert found.outcome == "kept", found.detail


@pytest.mark.parametrize("name", ["turns are kept", "a snapshot is the world", "reading changes nothing"])
def test_what_is_not_offered_is_offered_somewhere(name: str, tmp_path: Path) -> None:
    """No promise may hold only because nobody makes it."""
    promise = next(promise for promise in PROMISES if promise.name == name)
    simple = [world for world in WORLDS if not world.fixture]
    found = [asyncio.run(look(world.case(tmp_path), promise, many=2)).outcome for world in simple]
    assert found.count("kept") >= 2
