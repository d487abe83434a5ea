"""Inquiries: asking Alipay about orders, so that silence never decides anything.

Owns the trade query, the close at Alipay, and the sweep over orders whose question is due. It
turns Alipay's signed answers into facts and hands them to the one door. The inbox asks here when
a notification has to be confirmed; the API when a caller wants to know now.
"""
