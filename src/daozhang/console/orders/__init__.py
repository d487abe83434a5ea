"""Orders: the list with its filters, and the page of one order with its story."""
