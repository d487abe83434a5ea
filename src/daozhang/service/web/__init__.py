"""The edge: what every HTTP route shares. Problems, bodies, cursors, idempotency, the context.

For the routes of all domains; knows none of them.
"""
