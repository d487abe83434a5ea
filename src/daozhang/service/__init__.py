"""Everything that remembers: the service, cut by domain. `docs/index.md` is the map."""
