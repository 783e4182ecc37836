from __future__ import annotations

from harness.record import DocumentBuilder, recorded_actions
from harness.spec.actions import Action


class Story:
    def __init__(self):
        self.builder = DocumentBuilder()
        self.step = 0

    def call(self, *actions, role="agent", lane="main"):
        self.step += 1
        self.builder.call(
            step=self.step, node="think", role=role, lane=lane, visit=1, model="m", messages=[], tools=None,
            response_format=None, reply={"role": "assistant"}, actions=list(actions), started=0.0,
        )  # fmt: skip

    def act(self, action, *, error=False, role="agent", observation="seen"):
        self.builder.tool(
            step=self.step + 1, node="act", role=role, lane="main", visit=1, action=action, observation=observation,
            error=error, changes_state=True, started=0.0, seconds=0.0,
        )  # fmt: skip

    def join(self, winner):
        self.builder.node(step=self.step, node="join", kind="join", lane="main", visit=1, started=0.0,
                          detail={"winner": winner})  # fmt: skip

    def told(self):
        return [(a["kind"], a["name"], a["observation"]) for a in recorded_actions(self.builder.document())]


def tool(tool, call_id=None, **arguments):
    return Action(kind="tool", name=tool, arguments=arguments, call_id=call_id)


def test_choices_and_what_came_of_them_are_one_action():
    story = Story()
    story.call(tool("read", "1", n=1), tool("read", "2", n=1), tool("pay", "3"))
    story.act(tool("read", "1", n=1), observation="a")
    story.act(tool("read", "2", n=1), observation="b", error=True)
    story.call(Action(kind="say", text="hm"))
    story.call(Action(kind="submit", name="submit", arguments={"answer": "x"}))
    story.act(Action(kind="submit", name="submit", arguments={"answer": "x"}), observation="")
    assert story.told() == [
        ("tool", "read", "a"), ("tool", "read", "b"), ("tool", "pay", None), ("say", "", None),
        ("submit", "submit", ""),
    ]  # fmt: skip
    actions = recorded_actions(story.builder.document())
    assert [a["error"] for a in actions] == [False, True, False, False, False]
    assert [a["changes_state"] for a in actions] == [True, True, False, False, False]


def test_the_same_choice_in_two_turns_is_two_actions():
    story = Story()
    for observation in ("first", "second"):
        story.call(tool("read"))
        story.act(tool("read"), observation=observation)
    assert [seen for _, _, seen in story.told()] == ["first", "second"]


def test_of_a_branch_only_what_was_gone_on_with_is_an_action():
    story = Story()
    for lane, n in (("vote.1", 1), ("vote.2", 2), ("vote.3", 2)):
        story.call(tool("read", n=n), lane=lane)
    story.join("vote.2")
    story.act(tool("read", n=2))
    assert story.told() == [("tool", "read", "seen")]


def test_what_the_winning_lane_said_is_an_action():
    story = Story()
    for lane in ("vote.1", "vote.2"):
        story.call(Action(kind="say", text=lane), lane=lane)
    story.join("vote.2")
    assert [a["text"] for a in recorded_actions(story.builder.document())] == ["vote.2"]


def test_a_malformed_reply_is_an_error_whether_answered_or_not():
    story = Story()
    malformed = Action(kind="malformed", name="read", error="n is missing")
    story.call(malformed)
    story.act(malformed, error=True, observation="n is missing")
    story.call(malformed)
    assert [a["error"] for a in recorded_actions(story.builder.document())] == [True, True]


def test_one_call_in_a_lane_that_nothing_branched_into_is_an_action_of_its_own():
    story = Story()
    story.call(tool("read", n=1), tool("pay"), lane="vote.2")
    assert story.told() == [("tool", "read", None), ("tool", "pay", None)]


def test_a_lane_that_was_branched_into_and_never_joined_leaves_no_action():
    story = Story()
    story.builder.node(step=1, node="fan", kind="branch", lane="main", visit=1, started=0.0,
                       detail={"lanes": ["vote.1", "vote.2"]})  # fmt: skip
    story.call(tool("read", n=1), lane="vote.1")
    assert story.told() == []
