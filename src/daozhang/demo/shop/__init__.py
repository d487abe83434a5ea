"""The demo's shop: every way to pay, a module each, with the standard library and the HTTP API only.

It imports nothing else of daozhang's, as a shop in any other language would not either.
"""
