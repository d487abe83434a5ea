"""Payouts in the console: what Alipay pays out and when, and its balance beside the ledger's."""
