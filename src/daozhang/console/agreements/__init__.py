"""Agreements: the list with what is due next, and the page of one with its tries, story and actions."""
