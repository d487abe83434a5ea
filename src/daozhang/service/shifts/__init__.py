"""Shifts: who stands at which till, from when to when.

Owns the shift itself, which payments were begun in it, how it was handed over and by whom it was
taken. What a refund of one person in one shift may come to without a second one is asked here by
`refunds`. What is counted is told by `till`, which knows payments and refunds.
"""
