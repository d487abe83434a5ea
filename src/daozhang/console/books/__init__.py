"""Reconciliation in the console: the calendar of days, one day, one case."""
