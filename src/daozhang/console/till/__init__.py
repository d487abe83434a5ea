"""The till: an amount, a code, and whether the goods may go. All that a cashier's day needs."""
