"""Charges: payments that are taken while no buyer is there, out of a hold or by an agreement.

Owns one `alipay.trade.pay` for an order from the intent to its end, whatever Alipay answers. Whose it is,
a hold or an agreement, is told when it ends, in the same transaction.
"""
