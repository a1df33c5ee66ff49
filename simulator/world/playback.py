"""How somebody watches a world: what is drawn while virtual time passes, and how fast it may pass.

It happens between the turns of the loop, by real time, and is no event of the world: a run is the same whether or not
somebody watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulator.world.pins import real_perf_counter, real_sleep

SLICE_S = 0.05
"""The longest sleep: signals are looked for between two."""
LAG_S = 0.25
"""A run that could not keep up with its pace makes up for this much, and not for more: nobody could follow that."""
NEAR_S = 1e-6
"""Virtual time moves on to an event from at least this far: a loop carries out early what is due in a nanosecond."""


class Playback:
    """Draws what `keep` is given; meanwhile, virtual time passes at most `factor` times as fast as real time.

    Without a factor it passes as fast as it can, and so it does once `hurried`.
    """

    def __init__(self, factor: float | None = None, hurried: Callable[[], bool] = lambda: False) -> None:
        self._factor, self._hurried = factor, hurried
        self._draw: Callable[[], None] | None = None
        self._period_s = self._next_s = self._began_s = self._real_s = self._virtual_s = 0.0

    def elapsed_s(self, shown_s: float) -> float:
        """Seconds of real time since `keep` began, whatever time is shown."""
        del shown_s
        return real_perf_counter() - self._began_s

    async def keep(self, draw: Callable[[], None], period_s: float, stop: asyncio.Event) -> None:
        """Draw at once and then once per period of real time, until `stop` is set."""
        self._began_s = self._real_s = real_perf_counter()
        self._virtual_s, self._period_s = asyncio.get_running_loop().time(), period_s
        self._draw, self._next_s = draw, self._began_s
        try:
            self.until(self._virtual_s, self._virtual_s)
            await stop.wait()
        finally:
            self._draw = None

    def draw_now(self) -> None:
        """Draw, whatever the time."""
        if self._draw is not None:
            self._draw()

    def until(self, now: float, when: float) -> float:
        """Draw if it is time to; how far virtual time may move on towards `when`, after at most a slice of sleep."""
        if self._draw is not None and real_perf_counter() >= self._next_s:
            self._draw()
            self._next_s = real_perf_counter() + self._period_s
        if self._draw is None or self._factor is None or self._hurried():
            return when
        real_s = real_perf_counter()
        late_s = real_s - self._real_s - (now - self._virtual_s) / self._factor
        self._real_s += max(0.0, late_s - LAG_S)
        due_s = self._real_s + (when - self._virtual_s) / self._factor
        if real_s < due_s:
            real_sleep(max(0.0, min(SLICE_S, due_s - real_s, self._next_s - real_s)))
        reached = max(now, self._virtual_s + (real_perf_counter() - self._real_s) * self._factor)
        return reached if reached < when - NEAR_S else when
