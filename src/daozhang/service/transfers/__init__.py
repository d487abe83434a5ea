"""Transfers (转账): money that a merchant sends to an Alipay account or a bank card.

Owns a transfer from the wish to its end, the limits and second persons around it, batches from a sheet,
and receipts. Payees rest sealed. Nobody below has heard of it; the ledger is told when money has left.
"""
