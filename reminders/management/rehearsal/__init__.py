"""A stack of its own whose clock is moved: what the demo and the simulation share."""
