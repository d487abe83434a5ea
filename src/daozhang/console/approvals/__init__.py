"""Approvals: the inbox of what waits for a second person, and from which amounts on it does."""
