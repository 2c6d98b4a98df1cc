"""The whole product in one command, out of Python wheels: a simulated market, watched, answered and checked."""
