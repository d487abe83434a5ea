"""Transfers in the console: what was sent to whom, sending one or a sheet, and how much may be sent."""
