"""`python -m daozhang.cli` is `daozhang`."""

from daozhang.cli.main import main

main()
