"""Refunds: the list by what becomes of them, and the page of one refund with its story."""
