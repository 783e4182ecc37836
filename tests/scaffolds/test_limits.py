"""Limits end a trial in state `limit`, each under its own name, and the clock leaves waiting out."""

from __future__ import annotations

import asyncio

import pytest

from harness.models.protocol import Attempt, ContextExceeded, TimeExceeded, Usage
from harness.scaffolds.faults import TrialEnd
from harness.scaffolds.meter import Meter
from harness.spec.limits import TrialLimits


def test_turns_bound_the_model_calls(lab):
    played = lab.play(lab.react(), lambda request: lab.json_call("count"), limits={"turns": 3})
    assert (played.outcome.state, played.outcome.limit) == ("limit", "turns")
    assert len(played.kept.of("call")) == 3
    assert len(played.world.calls) == 3, "the last reply is still acted on"


def test_tokens_are_counted_over_all_calls_and_checked_before_acting(lab):
    replies = [
        lab.reply(lab.json_call("count"), usage=Usage(60, 20)),
        lab.reply(lab.json_call("count"), usage=Usage(20, 0)),
    ]
    played = lab.play(lab.react(), replies, limits={"tokens": 100})
    assert (played.outcome.state, played.outcome.limit) == ("limit", "tokens")
    assert len(played.world.calls) == 1


def test_cost_counts_what_is_known(lab):
    replies = iter([None, 0.6, None, 0.6])
    played = lab.play(
        lab.react(), lambda r: lab.reply(lab.json_call("count"), cost=next(replies)), limits={"cost": 1.0}
    )
    assert (played.outcome.limit, len(played.kept.of("call"))) == ("cost", 4)


def test_a_tool_may_not_take_longer_than_the_trial_has_left(lab):
    played = lab.play(lab.react(), [lab.json_call("sleep", seconds=600)], limits={"seconds": 2})
    assert (played.outcome.state, played.outcome.limit) == ("limit", "seconds")
    event = played.kept.of("tool")[0]
    assert event["observation"].data == {"out_of_time": True}
    assert played.outcome.seconds < 300


def test_a_model_call_is_told_how_long_it_may_take(lab):
    played = lab.play(
        lab.react(), [TimeExceeded("late", [Attempt("server", 500, "x", 1.0, 2.0)])], limits={"seconds": 50}
    )
    assert 0 < played.model.requests[0].seconds_left <= 50
    assert (played.outcome.state, played.outcome.limit) == ("limit", "seconds")
    event = played.kept.of("call")[0]
    assert (event["error"], len(event["fault"].attempts)) == ("limit of seconds: late", 1)
    assert lab.play(lab.react(), [TimeExceeded("late")]).model.requests[0].seconds_left is None


def test_a_thread_too_long_for_the_model_is_a_limit(lab):
    played = lab.play(lab.react(), [ContextExceeded("5000 of 4096")])
    assert (played.outcome.state, played.outcome.limit, played.outcome.fault) == ("limit", "context", None)
    assert played.kept.of("call")[0]["error"] == "limit of context: 5000 of 4096"


def test_a_slow_function_of_the_user_runs_into_the_trials_time(lab):
    (lab.base / "slow.py").write_text("import time\ndef wait(state):\n    time.sleep(3)\n")
    flat = lab.scaffold({"one": {"kind": "python", "function": "slow.py:wait", "next": "end"}})
    played = lab.play(flat, [], limits={"seconds": 0.2})
    assert (played.outcome.state, played.outcome.limit) == ("limit", "seconds")


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_waiting_for_the_provider_is_not_on_the_clock(lab):
    clock = Clock()
    meter = Meter(TrialLimits(seconds=10), clock)
    clock.now += 30
    meter.replied("main", lab.reply("x", waited=25.0))
    assert (meter.elapsed, meter.waited, meter.seconds, meter.seconds_left) == (30.0, 25.0, 5.0, 5.0)
    clock.now += 5
    with pytest.raises(TrialEnd) as ended:
        meter.check()
    assert ended.value.limit == "seconds"


def test_lanes_that_wait_at_the_same_time_count_once():
    clock = Clock()
    meter = Meter(TrialLimits(), clock)
    clock.now += 10
    for lane, seconds in (("main", 2.0), ("vote.1", 5.0), ("vote.2", 6.0), ("vote.2/deep.1", 1.0)):
        meter.wait(lane, seconds)
    assert meter.waited == 9.0
    meter.join("vote.2", ["vote.2/deep.1", "vote.2/deep.2"])
    meter.join("main", ["vote.1", "vote.2"])
    assert meter.waited == 9.0
    assert meter.seconds == 1.0


def test_what_was_waited_for_is_in_the_outcome(lab):
    played = lab.play(lab.react(), [lab.reply(lab.json_call("submit", answer="x"), waited=0.0)])
    assert played.outcome.waited == 0.0
    assert played.outcome.seconds > 0


def test_a_call_cut_short_from_outside_is_recorded(lab):
    async def cancelled():
        from harness.scaffolds import compile_scaffold, run_scaffold

        kept, world = lab.Kept(), lab.Shelf()
        asked = asyncio.Event()
        model = lab.Canned("m", ["never"], lambda request: asked.set() or 600)
        context = lab.context({"agent": model}, world, kept)
        task = asyncio.create_task(run_scaffold(compile_scaffold(lab.react(), lab.base), context))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return kept

    assert asyncio.run(cancelled()).of("call")[0]["error"] == "cancelled"
