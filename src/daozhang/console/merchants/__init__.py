"""Merchants and keys: how each stands, new apps step by step, and keys that change with overlap."""
