"""CartPole-v1 under PufferLib's vectorization, 64 environments in two processes, under random actions.

Prints a line of JSON: steps of single environments a second over at least argv[1] seconds.
"""

import json
import sys
import time
from importlib.metadata import version

import gymnasium
import numpy
import pufferlib.emulation
import pufferlib.vector

COUNT = 64
WORKERS = 2
CHUNK = 100


def make(buf=None, seed=0):
    return pufferlib.emulation.GymnasiumPufferEnv(env_creator=lambda: gymnasium.make("CartPole-v1"), buf=buf, seed=seed)


def main() -> None:
    environments = pufferlib.vector.make(
        make, num_envs=COUNT, num_workers=WORKERS, backend=pufferlib.vector.Multiprocessing
    )
    environments.reset(seed=1)
    chance = numpy.random.default_rng(1)

    def chunk() -> int:
        for _ in range(CHUNK):
            environments.step(chance.integers(0, 2, COUNT))
        return COUNT * CHUNK

    chunk()
    count, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < float(sys.argv[1]):
        count += chunk()
    print(json.dumps({"perSecond": count / seconds, "version": version("pufferlib")}))
    environments.close()


if __name__ == "__main__":
    main()
