"""Sharing: parts of an order's money that are passed on to others (分账), and what of it comes back.

Owns receivers, plans, shares and the rounds in which they are sent. Draws on the order's one remainder, as
refunds do; `refunds` above asks here who gives how much back, and tells how that ended. `orders` below has
never heard of it.
"""
