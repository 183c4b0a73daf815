"""How often the collector of garbage looks, where records and batches are made of very many objects."""

import gc

YOUNG_OBJECTS = 100_000
"""Next to none of them are in cycles, and each look walks over all; the default is 700."""


def collect_seldom() -> None:
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
