"""All experiments' chunks, on all cores. What comes out depends on the seeds alone, not on who computed it when."""

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

import numpy as np
from numpy.random import SeedSequence

from bench.judge.experiment import Experiment, Run
from bench.judge.rollouts import Ends

SEED = 20261121


def seed_of(name: str) -> int:
    """The seed of what bears this name."""
    return zlib.crc32(f"{SEED} {name}".encode())


def run_all(experiments: Sequence[Experiment], tell: Callable[[str], None]) -> list[Mapping[str, Ends]]:
    """The ends of each experiment; `tell` is called with its name when it is over."""
    pool = ProcessPoolExecutor(os.cpu_count())
    try:
        chunks = [_submit(pool, experiment) for experiment in experiments]
        place = {future: number for number, futures in enumerate(chunks) for future in futures}
        left = [len(futures) for futures in chunks]
        over = 0
        for future in as_completed(place):
            future.result()
            number = place[future]
            left[number] -= 1
            if not left[number]:
                over += 1
                tell(f"[{over:2}/{len(experiments)}] {experiments[number].name}")
    finally:
        # After an error or Ctrl-C nothing begins any more.
        pool.shutdown(cancel_futures=True)
    return [_together([future.result() for future in futures]) for futures in chunks]


def _submit(pool: ProcessPoolExecutor, experiment: Experiment) -> list[Future[Mapping[str, Ends]]]:
    chunks = -(-experiment.rollouts // experiment.chunk)
    seeds = SeedSequence(seed_of(experiment.name)).spawn(chunks)
    return [pool.submit(_run, experiment.run, experiment.chunk, seed) for seed in seeds]


def _run(run: Run, rollouts: int, seed: SeedSequence) -> Mapping[str, Ends]:
    return run(rollouts, np.random.default_rng(seed))


def _together(parts: Sequence[Mapping[str, Ends]]) -> Mapping[str, Ends]:
    return {name: Ends.together([part[name] for part in parts]) for name in parts[0]}
