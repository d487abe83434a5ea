"""Webhooks: endpoints with their health and secrets, deliveries with their attempts, sending again."""
