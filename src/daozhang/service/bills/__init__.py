"""Bills: Alipay's files about an account, fetched each morning or given by a person, and kept as they came.

Owns the statements (which file stands for which day) and the files, word for word with their hash. What
a file says is read by whoever reconciles; nothing here believes it.
"""
