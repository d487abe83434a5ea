"""Journal: what is posted in a closed day or month as vouchers (凭证) for a bookkeeping program.

Owns the templates: which columns a file has, how its accounts are called there, how postings are put
together. Reads the ledger and writes nothing but the trail. Only what is closed goes out, so that what
was handed over is never changed afterwards.
"""
