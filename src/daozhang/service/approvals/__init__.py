"""Second persons: what one asks for and another decides, before it happens.

What is asked for is done by the domain that knows how (`refunds`, `merchants`), in the transaction
of the decision. The approver is never the requester, and what nobody decides expires.
"""
