"""Every replacement of moto's code, one file a service; `registry` says what one is."""

from __future__ import annotations

from simulator.store import sqs_answers
from simulator.store.replacements import sqs

ALL = (*sqs.REPLACEMENTS, *sqs_answers.REPLACEMENTS)
