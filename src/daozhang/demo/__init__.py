"""The demo: an emulator, the service and a small shop on this machine, and one payment seen through.

For `daozhang demo` only. Everything talks over real HTTP, each part in a process of its own.
"""
