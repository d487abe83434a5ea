"""Backfill: what was booked before the ledger was there is posted to it afterwards, in bounded batches.

Owns a duty and nothing else: how far it has come is kept with the ledger, which tells whoever reads it.
"""
