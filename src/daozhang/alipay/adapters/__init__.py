"""A few lines each for the frameworks: a request in, `daozhang.alipay.verify` over its raw body.

Each module imports its framework, so none is imported from here. Let Alipay hear ``success`` only
after what it told is committed; anything else makes it send again.
"""
