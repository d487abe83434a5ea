"""Where the bill of a day or a month can be fetched (apis.md §4.1)."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from daozhang.alipay.operations.operation import Operation, Result

_DAY_OR_MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?", re.ASCII)

EMPTY_DAY: Final = "EMPTY_DATA_WITH_BILL_FILE"


class BillDownloadUrlQueryResult(Result, frozen=True, kw_only=True):
    """Where the file is. The address lives 30 seconds; read the file with `daozhang.alipay.bills`."""

    bill_download_url: str | None = None
    bill_file_code: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened in that time; there is a file all the same."""
        return self.bill_file_code == EMPTY_DAY


class BillDownloadUrlQuery(Operation[BillDownloadUrlQueryResult], frozen=True, kw_only=True):
    """``alipay.data.dataservice.bill.downloadurl.query``: the address of a bill.

    ``bill_type`` is ``trade`` for payments and refunds, ``signcustomer`` for every movement of the
    account; ``bill_date`` a day (``2026-03-01``, from about 9:00 of the next one) or a month
    (``2026-03``, from its third day on). `Rejected` with ``NO_BILL_DATA`` means that nothing
    happened in that time, ``BILL_NOT_EXIST`` that the file is not there yet.
    """

    METHOD: ClassVar[str] = "alipay.data.dataservice.bill.downloadurl.query"
    RESULT: ClassVar[type[Result]] = BillDownloadUrlQueryResult

    bill_type: str
    bill_date: str
    secure: str | None = "true"
    smid: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if _DAY_OR_MONTH.fullmatch(self.bill_date) is None:
            raise ValueError(
                f"bill_date is {self.bill_date!r}; write a day as 2026-03-01, a month as 2026-03."
            )
