"""Pay links: an address that anybody can pay at, made by a person, without a shop's own page.

Owns the link, the public page behind it, and which orders were made by it. An order is made only when
somebody presses the button there, never by looking.
"""
