"""The seed of one model call: different at every call of a trial, equal across models and scaffold-equal trials."""

from __future__ import annotations

import hashlib

from harness.models.protocol import CallKey


def call_seed(seed: int, key: CallKey) -> int:
    """31 bits from the trial's seed and the call's key.

    The model is left out, so that trials that pair up across models are sent the same seeds; the trial's seed
    counts, so that repeats differ.
    """
    text = f"{seed}\n{key.node}\n{key.role}\n{key.lane}\n{key.visit}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
