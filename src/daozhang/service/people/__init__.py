"""People: who works with the console, what each may do, and how each signs in.

A right is asked for in the action (`Person.require`), never in a page. A person's secrets are
kept as a hash, or sealed with their row bound in.
"""
