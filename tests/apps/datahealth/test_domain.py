"""What is wrong with a value."""

import numpy as np

from athanor.apps.datahealth.domain.trouble import Trouble, troubles


def test_never_is_worse_than_stale_is_worse_than_bad() -> None:
    age_s = np.array([1.0, 1.0, 9.0, 9.0, 1e9, np.inf])
    period_s = np.array([1.0, 1.0, 1.0, 1.0, np.nan, np.nan])
    quality = np.array([0, 2, 0, 2, 0, 2], np.uint8)
    assert troubles(age_s, period_s, quality).tolist() == [
        Trouble.NONE,
        Trouble.BAD,
        Trouble.STALE,
        Trouble.STALE,
        Trouble.NONE,
        Trouble.NEVER,
    ]


def test_an_uncertain_value_is_no_trouble() -> None:
    assert troubles(np.array([1.0]), np.array([1.0]), np.array([1], np.uint8)).tolist() == [Trouble.NONE]
