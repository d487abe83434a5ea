"""Surprises: the queue of facts that did not fit, and how each ends."""
