# SPDX-License-Identifier: Apache-2.0
"""Where mailtap and another reader are known to differ, one by one, each with the reason.

An entry that no longer differs as it says is a failure too: the table must stay true.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """One difference. `flow` is "client:port > server:port" as the records write it."""

    capture: str
    flow: str
    field: str
    ours: object
    theirs: object
    reason: str

    def explains(self, capture, flow, field, ours, theirs):
        place = (self.capture, self.flow, self.field) == (capture, flow, field)
        return place and (self.ours, self.theirs) == (ours, theirs)


TSHARK = []

TRUTH = []
