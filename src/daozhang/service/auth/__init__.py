"""API keys: who calls, for which merchants, and what the key allows.

A key belongs to one environment and to one merchant or several; it is kept as a hash. Used by the
routes of every domain through `dependencies.caller_with`, and by the CLI through ``actions``.
"""
