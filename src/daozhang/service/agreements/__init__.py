"""Agreements (周期扣款, 商家扣款): a buyer agrees once, and is charged when something is due.

Owns an agreement from the page to its end, the plan by which it is charged, and each try. A deduction is an
order that `charges` charges.
"""
