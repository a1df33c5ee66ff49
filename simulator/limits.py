"""Every AWS quota and every bound of our own: value, unit, source. Nothing else in the simulator states a limit.

Names end in their unit. A quota that AWS documents names the page; a bound of ours says why it is what it is;
`unverified` marks a figure that no documentation at hand confirms.
"""

from __future__ import annotations

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
