"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# Two cores shared by several workers: how long one example takes says nothing about the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
