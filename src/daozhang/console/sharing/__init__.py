"""Sharing in the console: who may receive, plans, and passing parts of an order on."""
