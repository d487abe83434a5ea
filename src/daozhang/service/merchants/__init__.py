"""Apps and merchants: whose money it is, and with which keys Alipay is reached.

Owns both tables and the sealed secrets in them. Everybody who calls Alipay or verifies what it
says gets the client or the keys from `clients.Clients`.
"""
