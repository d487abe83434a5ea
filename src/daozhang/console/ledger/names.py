"""What accounts and entries are called, and how accounts are grouped in a trial balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from daozhang.console.words import word
from daozhang.service.ledger.model import Account, EntryKind

ACCOUNTS: Final[Mapping[Account, str]] = {
    Account.AVAILABLE: word("Available in the Alipay account"),
    Account.UNSETTLED: word("Paid, not settled yet"),
    Account.FROZEN: word("Frozen until it is shared"),
    Account.WITHDRAWAL_IN_TRANSIT: word("On its way to the bank"),
    Account.SUSPENSE: word("Not explained yet"),
    Account.ROYALTY_PAYABLE: word("Shares promised to others"),
    Account.SALES: word("Sales"),
    Account.REFUNDS: word("Refunds"),
    Account.FEE: word("Alipay's fees"),
    Account.MERCHANT_DISCOUNT: word("Discounts the merchant bore"),
    Account.ROYALTY: word("Shared with others"),
    Account.TRANSFERS: word("Transferred to others"),
    Account.OTHER: word("Other income and cost"),
    Account.BANK: word("Bank account"),
    Account.OPENING: word("There before the books"),
}

GROUPS: Final[Sequence[tuple[str, Sequence[Account]]]] = (
    (
        word("Assets"),
        (
            Account.AVAILABLE,
            Account.UNSETTLED,
            Account.FROZEN,
            Account.WITHDRAWAL_IN_TRANSIT,
            Account.SUSPENSE,
        ),
    ),
    (word("Liabilities"), (Account.ROYALTY_PAYABLE,)),
    (
        word("Income and cost"),
        (
            Account.SALES,
            Account.REFUNDS,
            Account.FEE,
            Account.MERCHANT_DISCOUNT,
            Account.ROYALTY,
            Account.TRANSFERS,
            Account.OTHER,
        ),
    ),
    (word("The world outside"), (Account.BANK, Account.OPENING)),
)

KINDS: Final[Mapping[EntryKind, str]] = {
    EntryKind.PAYMENT: word("Payment"),
    EntryKind.REFUND: word("Refund"),
    EntryKind.SHARE: word("Share"),
    EntryKind.SHARE_RETURN: word("Share given back"),
    EntryKind.TRANSFER: word("Transfer"),
    EntryKind.TRANSFER_RETURN: word("Transfer given back"),
    EntryKind.FEE: word("Fee"),
    EntryKind.FEE_RETURN: word("Fee given back"),
    EntryKind.WITHDRAWAL: word("Withdrawal"),
    EntryKind.TOP_UP: word("Top-up"),
    EntryKind.OTHER: word("Told by the bill alone"),
    EntryKind.SETTLEMENT: word("Settlement"),
    EntryKind.OPENING: word("Opening of the books"),
    EntryKind.MANUAL: word("By hand"),
    EntryKind.REVERSAL: word("Reversal"),
}
