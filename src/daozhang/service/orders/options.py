"""What a merchant chooses about how an order may be paid: means, instalments, the code in the page.

Names and limits are Alipay's (apis.md §1.1 to §1.3). Kept with the order, so that each address that is
signed for it, today or tomorrow, says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

CHANNELS_CHARACTERS_MAX: Final = 128
"""As long as Alipay takes a list of channels."""

PayChannel = Annotated[str, Field(pattern=r"^[A-Za-z_]{1,32}$")]

ONLY_WITH: Final[Mapping[str, str]] = {
    "qr_pay_mode": "page",
    "qrcode_width": "page",
    "quit_url": "wap",
}
"""Options that Alipay knows for one way only."""


FRAMES: Final[Mapping[str, tuple[int, int]]] = {"0": (600, 300), "1": (300, 600), "3": (75, 75)}
"""The least width and height, in pixels, of the frame that shows a `qr_pay_mode` (apis.md §1.1)."""


NOT_WITH: Final[Mapping[str, str]] = {"enable_pay_channels": "barcode"}
"""Options that Alipay does not know for one way."""


class PayOptions(BaseModel):
    """What may be chosen for an order; nothing chosen leaves it to Alipay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enable_pay_channels: tuple[PayChannel, ...] | None = Field(
        None,
        min_length=1,
        description="Only these may pay: balance, pcredit, debitCardExpress, ...",
    )
    disable_pay_channels: tuple[PayChannel, ...] | None = Field(
        None, min_length=1, description="All but these may pay: credit_group, creditCard, ..."
    )
    hb_fq_num: Literal[3, 6, 12] | None = Field(
        None, description="Huabei instalments 花呗分期: in how many months the buyer pays."
    )
    hb_fq_seller_percent: Literal[0, 100] | None = Field(
        None, description="Who bears their fee: 0 the buyer, 100 you."
    )
    qr_pay_mode: Literal["0", "1", "2", "3", "4"] | None = Field(
        None,
        description="`page` only. A code in your own page: 0 (600 x 300 at least), 1 (300 x 600), "
        "3 (75 x 75), 4 (as wide as `qrcode_width`); 2 is Alipay's own page.",
    )
    qrcode_width: int | None = Field(
        None, ge=1, le=9999, description="In pixels, with `qr_pay_mode` 4."
    )
    quit_url: str | None = Field(
        None,
        max_length=400,
        pattern=r"^https?://",
        description="`wap` only. Where a buyer goes who gives up.",
    )

    royalty_freeze: Literal[True] | None = Field(
        None,
        description="Keeps the money apart until it was shared (分账冻结), 30 days at most; end it with a "
        "share that `finish`es.",
    )

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.enable_pay_channels and self.disable_pay_channels:
            raise ValueError(
                "enable_pay_channels and disable_pay_channels exclude each other "
                "enable_pay_channels 与 disable_pay_channels 只能选其一"
            )
        for channels in (self.enable_pay_channels, self.disable_pay_channels):
            if channels and len(",".join(channels)) > CHANNELS_CHARACTERS_MAX:
                raise ValueError(
                    "Alipay takes 128 characters of channels 渠道列表不能超过 128 个字符"
                )
        if self.hb_fq_seller_percent is not None and self.hb_fq_num is None:
            raise ValueError(
                "hb_fq_seller_percent needs hb_fq_num 设置 hb_fq_seller_percent 时须提供 hb_fq_num"
            )
        if (self.qr_pay_mode == "4") != (self.qrcode_width is not None):
            raise ValueError(
                "qrcode_width goes with qr_pay_mode 4, and with no other "
                "qrcode_width 须且仅须与 qr_pay_mode=4 同时提供"
            )
        return self

    def require_for(self, way: str) -> None:
        """Raises `ValueError` if an option is of another way than ``way``."""
        for name, own in ONLY_WITH.items():
            if getattr(self, name) is not None and way != own:
                raise ValueError(
                    f"{name} is for orders with way={own} {name} 仅适用于 way={own} 的订单"
                )
        for name, other in NOT_WITH.items():
            if getattr(self, name) is not None and way == other:
                raise ValueError(
                    f"Alipay takes no {name} for orders with way={way}: use disable_pay_channels "
                    f"way={way} 的订单不支持 {name}, 请使用 disable_pay_channels"
                )

    def frame(self) -> tuple[int, int] | None:
        """The least width and height of a frame in the shop's page; ``None`` for Alipay's own page."""
        if self.qr_pay_mode == "4" and self.qrcode_width is not None:
            return self.qrcode_width, self.qrcode_width
        return FRAMES.get(self.qr_pay_mode or "")

    def kept(self) -> dict[str, Any] | None:
        """As the column keeps it; ``None`` if nothing was chosen."""
        return self.model_dump(mode="json", exclude_none=True) or None

    def fields(self) -> dict[str, Any]:
        """The business parameters that Alipay is given for them."""
        given: dict[str, Any] = {
            "qr_pay_mode": self.qr_pay_mode,
            "qrcode_width": None if self.qrcode_width is None else str(self.qrcode_width),
            "quit_url": self.quit_url,
            "enable_pay_channels": _joined(self.enable_pay_channels),
            "disable_pay_channels": _joined(self.disable_pay_channels),
            "extend_params": self._extended(),
        }
        return {name: value for name, value in given.items() if value is not None}

    def _extended(self) -> dict[str, str] | None:
        extended = {"royalty_freeze": "true"} if self.royalty_freeze else {}
        if self.hb_fq_num is not None:
            percent = self.hb_fq_seller_percent or 0
            extended |= {"hb_fq_num": str(self.hb_fq_num), "hb_fq_seller_percent": str(percent)}
        return extended or None


class SigningOptions(PayOptions):
    """What is chosen for an order whose buyer signs an agreement by paying it. Made by the agreement's own
    route, never given by a caller."""

    agreement_sign_params: dict[str, Any]

    def fields(self) -> dict[str, Any]:
        """As `PayOptions.fields`, with what is signed."""
        return {**super().fields(), "agreement_sign_params": self.agreement_sign_params}


def read_options(kept: Mapping[str, Any] | None) -> PayOptions | None:
    """What a column has kept, as it was chosen."""
    if kept is None:
        return None
    kind = SigningOptions if "agreement_sign_params" in kept else PayOptions
    return kind.model_validate(kept)


def _joined(channels: tuple[str, ...] | None) -> str | None:
    return ",".join(channels) if channels else None
