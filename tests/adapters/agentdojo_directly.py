"""Runs of AgentDojo by AgentDojo alone, which the adapter's are held to; run where AgentDojo is installed."""

import warnings

from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement
from agentdojo.agent_pipeline.ground_truth_pipeline import GroundTruthPipeline
from agentdojo.attacks.attack_registry import load_attack
from agentdojo.functions_runtime import EmptyEnv
from agentdojo.task_suite.load_suites import get_suite
from agentdojo.types import ChatAssistantMessage, text_content_block_from_string

SERVED = ("run", "default_environment", "check_suite", "ground_truth")
warnings.simplefilter("ignore")
_attacks = {}


class Idle(BasePipelineElement):
    """Answers with nothing, at once."""

    name = "local"

    def query(self, query, runtime, env=EmptyEnv(), messages=(), extra_args=None):  # noqa: B008
        nothing = ChatAssistantMessage(role="assistant", content=[text_content_block_from_string("")], tool_calls=None)
        return query, runtime, env, [*messages, nothing], extra_args or {}


def _attack(suite, name, addressed_as):
    if (suite.name, name) not in _attacks:
        _attacks[suite.name, name] = load_attack(name, suite, Idle())
        _attacks[suite.name, name].model_name = addressed_as
    return _attacks[suite.name, name]


def run(suite, version, user_task, injection_task, attack, addressed_as, who):
    """(utility, security) of a pair; `who` acts: the user's ground truth, the injection's, or nobody."""
    suite = get_suite(version, suite)
    user, injection = suite.get_user_task_by_id(user_task), suite.get_injection_task_by_id(injection_task)
    injections = _attack(suite, attack, addressed_as).attack(user, injection)
    pipeline = {"user": GroundTruthPipeline(user), "injection": GroundTruthPipeline(injection), "nobody": Idle()}[who]
    try:
        return suite.run_task_with_pipeline(pipeline, user, injection, injections)
    except Exception as error:  # noqa: BLE001 - a ground truth may raise anything; the test counts it
        return f"{type(error).__name__}: {error}"


def ground_truth(suite, version, user_task, injection_task, injections):
    """Calls and answer of an injection task, in the environment of a pair."""
    suite = get_suite(version, suite)
    world = suite.load_and_inject_default_environment(injections)
    world = suite.get_user_task_by_id(user_task).init_environment(world)
    task = suite.get_injection_task_by_id(injection_task)
    calls = [{"tool": call.function, "arguments": dict(call.args)} for call in task.ground_truth(world)]
    return {"calls": calls, "answer": task.GROUND_TRUTH_OUTPUT}


def default_environment(suite, version):
    """The environment as AgentDojo's own YAML parser reads it."""
    return get_suite(version, suite).load_and_inject_default_environment({}).model_dump(mode="json")
