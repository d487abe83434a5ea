"""Reconciliation: Alipay's bills held against the books, both ways, line by line.

Owns the runs and the mismatches. A bill is unsigned: nothing is booked because it says so. What it alone
can tell (fees, withdrawals) is posted to the ledger from the account bill, and from nowhere else.
"""
