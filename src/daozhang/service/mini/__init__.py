"""Mini programs, and pages inside Alipay: payments by a trade that is made for one named buyer.

Owns the making of that trade, the check of what the mini program got back, and the decryption of phone
numbers. Whether money came is told by the inbox and the inquiries, as for every order.
"""
