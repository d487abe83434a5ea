"""Inbox: what Alipay tells us, kept word for word, answered, then applied.

Owns the notify route, the return route, the recorded notifications and the bounded sample of what
was refused. A notification is verified, recorded and committed before Alipay hears "success"; a
duty turns it into a fact and hands it to the one door.
"""
