"""What somebody means by a text, whatever words they choose: the truth that the product's reading is held against."""

from enum import StrEnum


class Meaning(StrEnum):
    """The kinds of texts that patients write."""

    NUMBER = "number"
    NUMBER_LOW = "number_low"
    NUMBER_HIGH = "number_high"
    FINE = "fine"
    MILD = "mild"
    SORE = "sore"
    VERY_SORE = "very_sore"
    BRUISE = "bruise"
    QUESTION = "question"
    CHATTER = "chatter"
    OPT_OUT = "opt_out"
    TREND_BETTER = "trend_better"
    TREND_SAME = "trend_same"
    TREND_WORSE = "trend_worse"
    DANGER = "danger"
