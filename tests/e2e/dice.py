"""Chance that can be had again: whoever draws says with which seed."""

import os
import random


def seed():
    """POSTERN_SEED, or another one each time; it is printed."""
    drawn = int(os.environ.get("POSTERN_SEED") or random.randrange(1 << 32))
    print("seed: POSTERN_SEED=%d" % drawn)
    return drawn


def dice():
    return random.Random(seed())
