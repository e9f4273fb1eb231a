"""Breaks a running stack in every way we know, by seed, and holds the carrier's book against the rows afterwards."""
