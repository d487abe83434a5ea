"""Search: which orders a person means, by whatever they hold of one. It owns an index that it fills by
itself, some seconds behind, so that nothing which takes money is slower for it (docs/decisions/0023)."""
