"""The till: payments face to face.

Owns the code that a buyer scans, and the code of a buyer that is scanned: one payment at the till from
the intent to its end, whatever Alipay answers, and what the person at the till is told meanwhile. It
asks by `inquiries`, and every fact it learns enters by the one door.
"""
