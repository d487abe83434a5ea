"""The ledger in the console: the trial balance, what was posted, and entries by hand."""
