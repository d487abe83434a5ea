"""The outbox: what we tell the world, written in the transaction of the change.

Owns the events and the streams that read them. Any domain upstairs may append an event; only
`append_event` writes one, and nobody ever changes one.
"""
