"""到账 (daozhang): take Alipay payments and never lose one."""

from daozhang.clock import Clock, ManualClock, SystemClock
from daozhang.money import Money, MoneyError

__all__ = ["Clock", "ManualClock", "Money", "MoneyError", "SystemClock"]
