"""Jobs and health: what runs, waits and failed, and whether the house is well."""
