"""Commands that go back to recorded moments: replay, probe, fork, relay, seats, perturb."""
