"""CartPole-v1 of Gymnasium under random actions: one environment, or a numpy vector of 64 (argv[2]).

Prints a line of JSON: steps of single environments a second over at least argv[1] seconds.
"""

import json
import sys
import time

import gymnasium
import numpy

COUNT = 64
CHUNK = 1000


def single():
    environment = gymnasium.make("CartPole-v1")
    environment.reset(seed=1)
    environment.action_space.seed(1)

    def chunk() -> int:
        for _ in range(CHUNK):
            _, _, terminated, truncated, _ = environment.step(environment.action_space.sample())
            if terminated or truncated:
                environment.reset()
        return CHUNK

    return chunk


def vector():
    environments = gymnasium.make_vec("CartPole-v1", num_envs=COUNT, vectorization_mode="vector_entry_point")
    environments.reset(seed=1)
    chance = numpy.random.default_rng(1)

    def chunk() -> int:
        for _ in range(CHUNK):
            environments.step(chance.integers(0, 2, COUNT))
        return COUNT * CHUNK

    return chunk


def main() -> None:
    chunk = {"single": single, "vector": vector}[sys.argv[2]]()
    chunk()
    count, started = 0, time.perf_counter()
    while (seconds := time.perf_counter() - started) < float(sys.argv[1]):
        count += chunk()
    print(json.dumps({"perSecond": count / seconds, "version": gymnasium.__version__}))


main()
