"""The demo: an emulator, the service and a shop with every way to pay; and one payment seen through.

For `daozhang demo` only. Everything talks over real HTTP, each part in a process of its own.
"""
