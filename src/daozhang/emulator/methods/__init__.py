"""The methods of the API: what each asks for, does and answers, whichever wire it came by.

`catalogue` names them and the ones that Alipay has and this emulator has not; `trade` and
`refund` are the methods themselves; `terms` reads what they are given.
"""
