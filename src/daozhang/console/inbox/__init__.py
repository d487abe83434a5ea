"""Notifications: what Alipay told, what was refused, and applying one again."""
