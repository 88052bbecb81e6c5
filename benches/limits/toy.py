"""A day of crash-looping pools as a toy: Python's heapq and a few counters.

It has no store, no revisions, no watches, no races, no trace and no judge: what a simulator costs that
only wants to know how often each pool makes a sandbox. Its periods are those of the scheduler's logic on
the day that brought the backoff (2025-11-14): pools are looked at every 10 s, sandboxes and apps every
60 s, the monitor and the activator every 30 s, the collector and the watchdog every 5 min.

`own` as the second argument gives each pool and each ticker an event of its own, as whoever writes a
process for each pool has it; without it one event looks at all pools.
"""

import heapq
import sys
import time

POOLS = int(sys.argv[1])
OWN = sys.argv[2:] == ["own"]
END = 24 * 3600.0
EXIT_AFTER, BOOT = 0.2, (0.002, 0.005, 0.002, 0.012, 0.1, 0.002)
BASE, CAP = 10.0, 900.0

EMPTY, BOOTING, DEAD = 0, 1, 2


def main():
    agenda, sequence = [], 0
    state = [EMPTY] * POOLS
    crashes = [0] * POOLS
    cooled = [0.0] * POOLS
    made = dead = looks = events = 0

    def push(at, what, pool, stage):
        nonlocal sequence
        sequence += 1
        heapq.heappush(agenda, (at, sequence, what, pool, stage))

    for ticker, period in enumerate((10.0, 60.0, 60.0, 30.0, 30.0, 300.0, 300.0)):
        if OWN and ticker == 0:
            for pool in range(POOLS):
                push(0.0, 8, pool, period)
        else:
            push(0.0, ticker, -1, period)
    while agenda:
        now, _, what, pool, stage = heapq.heappop(agenda)
        if now > END:
            break
        events += 1
        if pool < 0:
            # A ticker: all pools are looked at; only that of the pools acts.
            push(now + stage, what, -1, stage)
            for pool in range(POOLS):
                looks += 1
                if what == 0 and state[pool] != BOOTING and now >= cooled[pool]:
                    state[pool] = BOOTING
                    made += 1
                    push(now + BOOT[0], 7, pool, 1)
        elif what == 8:
            push(now + stage, 8, pool, stage)
            looks += 1
            if state[pool] != BOOTING and now >= cooled[pool]:
                state[pool] = BOOTING
                made += 1
                push(now + BOOT[0], 7, pool, 1)
        elif stage < len(BOOT):
            push(now + BOOT[stage], 7, pool, stage + 1)
        elif stage == len(BOOT):
            push(now + EXIT_AFTER, 7, pool, stage + 1)
        else:
            state[pool] = DEAD
            dead += 1
            crashes[pool] += 1
            cooled[pool] = now + min(BASE * 2 ** min(crashes[pool] - 1, 20), CAP)
    return events, looks, made, dead


started = time.perf_counter()
result = main()
print(time.perf_counter() - started, *result)
