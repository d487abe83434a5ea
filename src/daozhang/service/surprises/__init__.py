"""Surprises: what people make of facts that did not fit: accept, refund, attach, dismiss.

Owns no table (the rows are the orders'). Every end goes by the doors that everybody uses: Alipay is asked
and settled like any answer, money goes back as a refund, and a payment nobody claims gets an order.
"""
