"""The bank in the console: withdrawals against the bank's own statement."""
