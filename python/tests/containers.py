# SPDX-License-Identifier: BSD-3-Clause
"""Containers that are looked into for Delayeds."""

import dataclasses
from typing import NamedTuple


class Pair(NamedTuple):
    left: object
    right: object


@dataclasses.dataclass
class Box:
    held: object
