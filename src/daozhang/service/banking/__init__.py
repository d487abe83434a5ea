"""Banking: withdrawals against the merchant's own bank statement.

Owns the lines of bank statements that name Alipay, and which withdrawals they are. A statement is an
unsigned file: that money has arrived is posted only after a second person has agreed.
"""
