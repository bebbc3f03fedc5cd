"""Measurements: this library beside what a user would write instead, and how its cost grows."""
