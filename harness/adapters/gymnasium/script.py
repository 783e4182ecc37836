"""What the worker of the `gymnasium` adapter serves: episodes of Gymnasium environments, told in words.

Each environment has its own random generator, so episodes that go on side by side do not disturb one another.
"""

import copy
import re
from collections import deque
from typing import Any

import gymnasium

SERVED = ("actions", "start", "act", "end", "drop", "deals")
MOST_STEPS = 200
"""Of an episode without a limit of its own, and of the search for the best one."""
_LIT = re.compile(r"\x1b\[[0-9;]*m(.*?)\x1b\[0m", re.DOTALL)
_CODE = re.compile(r"\x1b\[[0-9;]*m")
_CORNERS = ("R", "G", "Y", "B")
_ACTIONS = {
    "FrozenLake": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "Taxi": ("south", "north", "east", "west", "pick up", "drop off"),
    "Blackjack": ("stick", "hit"),
}
_RULES = {
    "FrozenLake": "Walk from S to G over frozen ground F without falling into a hole H. You stand in the brackets.",
    "CliffWalking": "Walk from the lower left corner to T. You are x. C is a cliff: it throws you back to the start. "
    "Every step costs 1, the cliff 100.",
    "Taxi": "Fetch the passenger and bring them to their destination. The lines | are walls. Every step costs 1, a "
    "pick up or drop off at the wrong place 10; bringing the passenger home earns 20.",
    "Blackjack": "Come nearer to 21 than the dealer, and not above it. An ace is 11 where that fits, else 1.",
}
_open: dict[str, "Episode"] = {}


class Episode:
    """One episode."""

    def __init__(self, name: str, settings: dict[str, Any], seed: int) -> None:
        self.family = name.partition("-")[0].removesuffix("8x8").removesuffix("Slippery")
        form = None if self.family == "Blackjack" else "ansi"
        made = gymnasium.make(name, render_mode=form, **settings) if form else gymnasium.make(name, **settings)
        if not isinstance(made.action_space, gymnasium.spaces.Discrete):
            raise ValueError(f"{name}: actions are {made.action_space}; only numbered actions can be told in words")
        self.world = made
        self.numbered = [str(number) for number in range(int(made.action_space.n))]
        self.seen, _ = made.reset(seed=seed)
        self.total, self.steps, self.over = 0.0, 0, ""

    @property
    def actions(self) -> list[str]:
        return list(_ACTIONS.get(self.family, self.numbered))

    def act(self, action: str) -> None:
        self.seen, reward, ended, cut, _ = self.world.step(self.actions.index(action))
        self.total += float(reward)
        self.steps += 1
        self.over = "ended" if ended else "cut" if cut or self.steps >= MOST_STEPS else ""

    def told(self) -> dict[str, Any]:
        text = f"{self._view()}\nReturn so far: {self.total:g}."
        return {"text": text, "over": self.over, "actions": self.actions, "rules": _RULES.get(self.family, "")}

    def _view(self) -> str:
        if self.family == "Blackjack":
            own, dealer, ace = self.seen
            return f"Your cards: {own}{', with an ace as 11' if ace else ''}. The dealer shows {dealer}."
        text = str(self.seen)
        if self.world.render_mode == "ansi":
            form = r"[\1]" if self.family == "FrozenLake" else r"\1"
            text = _CODE.sub("", _LIT.sub(form, self.world.render()))
            text = "\n".join(line for line in text.strip("\n").splitlines() if not line.strip().startswith("("))
        if self.family == "Taxi":
            row, column, passenger, home = self.world.unwrapped.decode(self.seen)
            where = "in the taxi" if passenger == 4 else f"at {_CORNERS[passenger]}"
            text += f"\nThe taxi is in row {row}, column {column}; the passenger {where}, bound for {_CORNERS[home]}."
        return text


def actions(id: str, settings: dict[str, Any]) -> list[str]:
    """The names of an environment's actions."""
    return Episode(id, settings, 0).actions


def start(trial: str, id: str, settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """Begin an episode."""
    _open[trial] = Episode(id, settings, seed)
    return _open[trial].told()


def act(trial: str, action: str) -> dict[str, Any]:
    """One step."""
    _open[trial].act(action)
    return _open[trial].told()


def end(trial: str) -> dict[str, Any]:
    """The return and how the episode ended."""
    episode = _open[trial]
    return {"return": episode.total, "steps": episode.steps, "over": episode.over}


def drop(trial: str) -> None:
    """Forget an episode."""
    if (episode := _open.pop(trial, None)) is not None:
        episode.world.close()


def deals(id: str, settings: dict[str, Any], wanted: int) -> list[dict[str, Any]]:
    """The first `wanted` seeds whose episode can be brought to a good end: seed, best actions, best return."""
    found: list[dict[str, Any]] = []
    for seed in range(1, 20 * wanted + 1):
        actions, best = _best(Episode(id, settings, seed))
        if actions and (best > 0 or id.startswith("CliffWalking")):
            found.append({"seed": seed, "actions": actions, "best": best})
        if len(found) == wanted:
            break
    return found


def _best(start: Episode) -> tuple[list[str], float]:
    """Actions to the greatest return, found in breadth; empty when no end is within reach."""
    table = getattr(start.world.unwrapped, "P", None)
    if table is not None and all(len(ways) == 1 for moves in table.values() for ways in moves.values()):
        return _best_by_table(start, table)
    # These worlds draw chance once a step, so what was seen and how many steps were made say all about an episode.
    layer: dict[str, tuple[Episode, list[str]]] = {"": (start, [])}
    best: tuple[list[str], float] = ([], float("-inf"))
    while layer and best[1] <= max(episode.total for episode, _ in layer.values()):
        after: dict[str, tuple[Episode, list[str]]] = {}
        for episode, way in layer.values():
            for action in episode.actions:
                ahead = copy.deepcopy(episode)
                ahead.act(action)
                known = after.get(str(ahead.seen))
                if ahead.over == "ended" and ahead.total > best[1]:
                    best = ([*way, action], ahead.total)
                elif not ahead.over and (known is None or known[0].total < ahead.total):
                    after[str(ahead.seen)] = (ahead, [*way, action])
        layer = after
    return best


def _best_by_table(start: Episode, table: dict[int, dict[int, list[Any]]]) -> tuple[list[str], float]:
    """The same where every action has one outcome: the first way to the goal is the shortest, and steps cost alike."""
    ways: dict[int, tuple[list[str], float]] = {int(start.seen): ([], 0.0)}
    ahead = deque(ways)
    falls = min(reward for moves in table.values() for [(_, _, reward, _)] in moves.values())
    while ahead:
        here = ahead.popleft()
        way, total = ways[here]
        for number, [(_, there, reward, ended)] in table[here].items():
            step = ([*way, start.actions[number]], total + float(reward))
            if ended and (reward > 0 or start.family == "CliffWalking"):
                return step
            if not ended and there not in ways and (reward > falls or falls == 0):
                ways[there] = step
                ahead.append(there)
    return [], float("-inf")
