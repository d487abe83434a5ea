"""Settlements: what a direct-pay merchant (直付通, 账期) confirms before Alipay settles a payment.

Owns the confirmations and the steps by which they are sent and asked about. They move nothing out and draw on
no remainder: what of the money arrives, and when, the account bill tells. Stands on `sharing`, which says
how the merchant shares and whether it is one of direct pay.
"""
