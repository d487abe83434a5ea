"""Reports: a day or a month as a workbook, for those who keep it or audit it.

Owns nothing: reads what closing, reconciliation and the ledger say, closed or not, and says which.
"""
