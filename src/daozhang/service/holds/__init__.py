"""Holds (预授权): money that a buyer lets us freeze, and what is taken from it or let go.

Owns a hold from the intent to its end, and its releases. What is taken is an order that `charges`
charges; what remains is always reckoned from all three.
"""
