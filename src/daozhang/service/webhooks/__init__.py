"""Webhooks: events on their way to the merchant's own addresses. Owns endpoints, their secrets,
deliveries and attempts; reads the outbox's events and never writes into anybody's change. The
application wires its duties and routes; nobody else calls it."""
