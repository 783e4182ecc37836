"""TextArena without the adapter: what a game tells its players and rewards them with, for given moves."""

import contextlib
import io

with contextlib.redirect_stderr(io.StringIO()):
    import textarena
    from textarena.wrappers import ActionFormattingWrapper

SERVED = ("play_through",)


def play_through(game, players, seed, moves):
    env = ActionFormattingWrapper(textarena.make(game + "-v0-raw"))
    env.reset(num_players=players, seed=seed)
    told, done = [], False
    for move in moves:
        player, seen = env.get_observation()
        told += [[player, str(text)] for _, text, _ in seen]
        done, _ = env.step(move)
        if done:
            break
    rewards, _ = env.close() if done else ({}, None)
    given = {str(p): float(r) for p, r in rewards.items() if not isinstance(r, str)}
    return {"done": done, "rewards": given, "told": told}
