"""Orders: money we expect, and what Alipay says became of it.

Owns orders, their steps and the surprises, and the table by which an order moves. Everyone above
may create, read and lock orders here, reserve money on them, and settle facts; this domain knows
nothing of who learned a fact, nor of what a refund is beyond an amount that went back.
"""
