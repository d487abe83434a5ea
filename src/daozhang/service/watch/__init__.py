"""Watch: what a person must know before a customer says it.

Owns the tallies, the picture of the whole house that `/metrics`, the alerts and money at risk are
drawn from, and who has been alerted of what. It reads the other domains' tables and changes none of
them; nobody below may call it.
"""
