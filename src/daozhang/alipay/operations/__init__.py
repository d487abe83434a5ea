"""Alipay's methods as typed structs: `trade` and `refund`, on the ground that `operation` lays."""
