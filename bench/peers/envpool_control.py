"""CartPole-v1 of EnvPool, 64 environments, under random actions.

Prints a line of JSON: steps of single environments a second over at least argv[1] seconds.
"""

import json
import sys
import time

import envpool
import numpy

COUNT = 64
CHUNK = 1000


def main() -> None:
    environments = envpool.make_gymnasium("CartPole-v1", num_envs=COUNT)
    environments.reset()
    chance = numpy.random.default_rng(1)

    def chunk() -> int:
        for _ in range(CHUNK):
            environments.step(chance.integers(0, 2, COUNT, dtype=numpy.int32))
        return COUNT * CHUNK

    chunk()
    count, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < float(sys.argv[1]):
        count += chunk()
    print(json.dumps({"perSecond": count / seconds, "version": envpool.__version__}))


main()
