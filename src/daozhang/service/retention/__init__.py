"""Retention: what is forgotten, and when: raw notifications, what identifies buyers, the sample of
refused bodies. Accounting facts stay. It owns how far it has come; nobody calls it but the worker."""
