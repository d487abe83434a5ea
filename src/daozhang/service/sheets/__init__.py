"""Sheets that people send: tables out of CSV (UTF-8, GBK) and workbooks (XLSX), cell by cell as text.

Knows nothing of what stands in them: `transfers` and `banking` find their columns by name. Pure.
"""
