"""What can be refused in data sharing."""

from collections.abc import Sequence
from datetime import datetime

from athanor.kernel.errors import AthanorError, NotAllowedError


class BadOfferError(AthanorError):
    """A data product that cannot be published as it is."""

    code = "exchange.bad-offer"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The data product cannot be published: {reason}")


class NotYoursError(NotAllowedError):
    """Somebody decides about an enterprise's data that is not theirs, or asks for their own."""

    code = "exchange.not-yours"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is not yours to do: {reason}")


class BadRequestForAccessError(AthanorError):
    """A request for access, or the answer to one, lacks something or comes too late."""

    code = "exchange.bad-request"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This cannot be entered: {reason}")


class NoAccessError(NotAllowedError):
    """A call without a grant that holds now."""

    code = "exchange.no-access"

    def __init__(self, product_id: int, reason: str) -> None:
        super().__init__(
            f"Data product {product_id} does not answer you: {reason}. Ask its owner for access on its page, "
            f"/exchange/products/{product_id}."
        )


class BeyondProductError(NotAllowedError):
    """A call for a time that the product does not reach."""

    code = "exchange.beyond-product"

    def __init__(self, earliest: datetime, back_days: float) -> None:
        super().__init__(
            f"This product reaches {back_days:g} days back, which is {earliest.isoformat()} now. Ask for a later start."
        )


class QuotaUsedError(AthanorError):
    """All calls of the day were made."""

    code = "exchange.quota-used"

    def __init__(self, quota: int) -> None:
        super().__init__(
            f"Your {quota} calls of today were made. Go on tomorrow, or ask the product's owner for a larger quota."
        )


class SchemaBreachError(AthanorError):
    """The plant no longer has what the product promises, so that nothing true can be answered."""

    code = "exchange.schema-breach"

    def __init__(self, product_id: int, paths: Sequence[str]) -> None:
        super().__init__(
            f"Data product {product_id} cannot be answered: {', '.join(paths)} are gone from the plant, or have "
            "another unit, kind or owner than its contract says. Its owner publishes a new version, or corrects the "
            "plant file."
        )
