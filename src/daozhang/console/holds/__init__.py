"""Holds: the list, and the page of one hold with where its money is, its story and its actions."""
