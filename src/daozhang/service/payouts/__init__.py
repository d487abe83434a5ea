"""Payouts: what Alipay will pay out and when, and what it says of its account itself.

Reads the ledger and posts nothing: what is expected is an estimate, and an answer about a balance
is compared, never booked. Owns the calendars of working days.
"""
