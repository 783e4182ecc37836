"""Gymnasium without the adapter: return, steps and end of an episode for given actions."""

import gymnasium

SERVED = ("run_through",)


def run_through(world, seed, actions):
    env = gymnasium.make(world)
    env.reset(seed=seed)
    total, steps, ended = 0.0, 0, False
    for action in actions:
        _, reward, ended, cut, _ = env.step(action)
        total, steps = total + float(reward), steps + 1
        if ended or cut:
            break
    return [total, steps, ended]
