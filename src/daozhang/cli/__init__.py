"""The command line: one file for each family of commands, imported only when it is named."""
