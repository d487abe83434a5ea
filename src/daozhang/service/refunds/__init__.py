"""Refunds: money going back, whoever started it.

Owns refunds, their outcomes and their questions, and `settle_fact`, the one door by which every
fact about an order enters: it lets `orders` decide, moves the refunds that the fact proves, and
announces both in the order of the table. The inbox, the inquiries and the API come in here;
`orders` below has never heard of it.
"""
