"""Shifts: who stood where, what was taken and given back, and who signed for it."""
