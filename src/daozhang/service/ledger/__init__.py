"""Ledger: what each Alipay account (a seller id, in one currency) has, owes and has earned.

Owns the books, their entries, their locked days and the sums of their accounts. Whoever proves that
money has moved calls `actions.post_entry` in the transaction in which it is booked; nothing that is
written is ever changed or taken away, only reversed.
"""
