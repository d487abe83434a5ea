"""The console: pages on which a merchant watches the money. It owns no SQL: what it shows and does
are the reads and actions of the service. Only `daozhang.app` hangs it in, at ``/console``."""
