"""Receipts (电子回单): what Alipay writes of an account's days, months and movements, kept as files.

Owns the receipts of accounts, and the steps in which any receipt is had made and fetched: those of
transfers take the same ones.
"""
