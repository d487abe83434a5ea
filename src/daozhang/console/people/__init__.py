"""People and rights: who works here, what each may do, the keys of systems, and the audit trail."""
