"""The link test: `count` log events at `rate` a second, each with its number, so that a gap or a double shows."""

import time

from vcbox.context import Context, JobFailed

COUNT_MAX = 1_000_000
RATE_MAX = 10_000


def run(ctx: Context) -> dict[str, int]:
    """params: `{count, rate}`, rate in events a second."""
    count, rate = ctx.params.get("count"), ctx.params.get("rate")
    if type(count) is not int or not 0 <= count <= COUNT_MAX:
        raise JobFailed("spec_invalid", f"count must be a number from 0 to {COUNT_MAX}, not {count!r}")
    if not isinstance(rate, int | float) or not 0 < rate <= RATE_MAX:
        raise JobFailed("spec_invalid", f"rate must be a number above 0 and up to {RATE_MAX}, not {rate!r}")
    with ctx.step("emit", "Send numbered events", nominal=count / rate):
        start = time.monotonic()
        for number in range(1, count + 1):
            due = start + number / rate - time.monotonic()
            if due > 0:
                ctx.sleep(due)
            else:
                ctx.check_cancelled()
            ctx.log.emit("log", step="emit", stream="note", text=f"event {number} of {count}")
    return {"ok": count, "changed": 0, "failed": 0, "skipped": 0}
