"""An Alipay on your desk: gateway, cashier, ledger and notifications, to develop and test against.

It owns its own reading of the wire format and imports nothing of `daozhang.alipay` or
`daozhang.service`: two halves that share a mistake agree with each other and disagree with Alipay.
`app.create_emulator` makes one; `daozhang emulator serve` runs it; docs/reference/emulator.md
describes what it imitates. The keys, apps and addresses live in a directory, the trades in memory.
"""
