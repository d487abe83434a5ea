"""Closing: what people make of what differs between Alipay's bills and the books, and the days they close.

Owns the cases (one for each mismatch) and the closed days. Nothing is booked because a bill says so: a
case asks Alipay, and what Alipay signs is booked by the one door; what nobody can prove is booked by
hand, by two people, and marked so.
"""
