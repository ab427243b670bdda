"""The same job on Ray Data: actors that hold the model, on this machine or on a cluster.

What travels is where in the source to read, and what is to be written. Results come back in the
order of the source, to the one process that writes them as for any other engine: so that a job
may be killed here too, and go on with another engine.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from itertools import chain
from typing import Any

from ..errors import ConfigurationError, RerankError, require
from ..reranker import Reranker
from ..runtime import loop, threads
from .purse import Purse
from .records import Done, Position
from .sources import Source
from .worker import Plan

#: Where a worker begins to read, and the number of the last query that it reads.
Task = tuple[Position, int]


class Ray:
    """Ranks on a Ray cluster: the one at `address`, the one this process is connected to, or a
    local one of its own.

    `workers`: actors with a model each, so many, or from so many to so many as there is work
    (0 at most: as the cluster allows). `cpus` and `gpus` of each; gpus=None: 1 where the cluster
    has any and a scorer computes on it. `queries_per_task`: what is read, sent back and, after a
    kill, done again at once. Every worker reads the source's files by their paths.

    Raises `MissingExtraError` without Ray.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        workers: int | tuple[int, int] = (1, 0),
        cpus: float = 1,
        gpus: float | None = None,
        queries_per_task: int = 16,
    ) -> None:
        require("the engine ray", "ray", "ray.data")
        least, most = (workers, workers) if isinstance(workers, int) else workers
        if least < 1 or (most and most < least) or queries_per_task < 1:
            raise ConfigurationError(
                f"workers is a number, or (least, most), of at least 1, not {workers}; "
                f"queries_per_task at least 1, not {queries_per_task}"
            )
        self.address, self.workers = address, (least, most or None)
        self.cpus, self.gpus, self.queries_per_task = cpus, gpus, queries_per_task

    async def ranked(self, plan: Plan) -> AsyncGenerator[Done, None]:
        """What came of each query of the plan."""
        start = plan.counts.position
        tasks = await threads.run(lambda stop: list(self._tasks(plan.queries, start)))
        if not tasks:
            return
        purse = None if plan.max_cost is None else _purse_actor(plan)
        blocks = await threads.run(lambda stop: self._blocks(plan, tasks, purse))
        while (block := await threads.run(lambda stop: _next(blocks))) is not None:
            for done in block:
                yield done

    def _tasks(self, queries: Source, start: Position) -> Iterator[Task]:
        """Stretches of the source, each of so many queries."""
        end = start
        for end in queries.ends(start):
            if end.number - start.number == self.queries_per_task:
                yield start, end.number
                start = end
        if end.number > start.number:
            yield start, end.number

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Connected to the cluster; one of its own ends with the job.

        Ray has the kernel end its processes with the thread that started them, so that they go
        when this process is killed. So it is a thread that waits for the job.
        """
        import ray

        if ray.is_initialized():
            yield
            return
        local: dict[str, Any] = {}
        if self.address is None:
            local = {"num_cpus": max(threads.cores(), self._cpus()), "include_dashboard": False}
        ray.init(self.address, log_to_driver=False, logging_level=logging.ERROR, **local)
        try:
            yield
        finally:
            ray.shutdown()

    def _cpus(self) -> int:
        """A small machine has room for the workers that were asked for, taking turns."""
        return round(self.workers[0] * self.cpus)

    def _blocks(self, plan: Plan, tasks: Sequence[Task], purse: Any) -> Iterator[list[Done]]:
        import ray.data

        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current().copy()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        with ray.data.DataContext.current(context):
            # a block a task, so that what one of them brings is not kept until others are done;
            # and no tasks to read them, which would want a core that the workers may all have
            stretches = ray.data.from_items(
                [{"number": start.number, "at": start.at, "stop": stop} for start, stop in tasks],
                override_num_blocks=len(tasks),
            )
            least, most = self.workers
            results = stretches.map_batches(
                _Stage,
                fn_constructor_kwargs={"plan": plan, "purse": purse},
                compute=ray.data.ActorPoolStrategy(min_size=least, max_size=most),
                num_cpus=self.cpus,
                num_gpus=self._gpus(plan.reranker),
                batch_size=1,
            )
            batches = results.iter_batches(batch_size=1, batch_format="numpy", prefetch_batches=1)
            return (pickle.loads(batch["results"][0]) for batch in batches)

    def _gpus(self, reranker: Reranker) -> float | None:
        import ray

        if self.gpus is not None:
            return self.gpus or None
        wanted = any(getattr(one, "takes_gpu", False) for one in reranker.scorers.values())
        there = ray.cluster_resources()
        return 1 if wanted and there.get("GPU") else None


class _Stage:
    """Ranks the stretches it is handed. An actor's."""

    def __init__(self, plan: Plan, purse: Any) -> None:
        self._queries = plan.queries
        self._worker = plan.worker(Purse() if purse is None else _RemotePurse(purse))
        plan.reranker.warm_up()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import numpy as np

        columns = (batch[name].tolist() for name in ("number", "at", "stop"))
        tasks = [(Position(number, at), stop) for number, at, stop in zip(*columns, strict=True)]
        results = np.empty(len(tasks), dtype=object)
        for place, task in enumerate(tasks):
            results[place] = pickle.dumps(loop.run(self._ranked(task)))
        return {"results": results}

    async def _ranked(self, task: Task) -> list[Done]:
        async with aclosing(self._worker.run(self._queries.read(*task))) as results:
            return [done async for done in results]


def _purse_actor(plan: Plan) -> Any:
    """One purse for all workers."""
    import ray

    # as many calls as like may wait in it for each other
    options: dict[str, Any] = {"num_cpus": 0, "max_concurrency": 10_000}
    return ray.remote(**options)(Purse).remote(*plan.spending)


class _RemotePurse:
    def __init__(self, actor: Any) -> None:
        self._actor = actor

    async def reserve(self, pairs: int) -> int | None:
        receipt: int | None = await asyncio.wrap_future(self._actor.reserve.remote(pairs).future())
        return receipt

    async def settle(self, receipt: int, pairs: int, cost: float | None) -> None:
        await asyncio.wrap_future(self._actor.settle.remote(receipt, pairs, cost).future())


def _next(blocks: Iterator[list[Done]]) -> list[Done] | None:
    """The next block. What a worker raised of ours is raised here as what it is."""
    try:
        return next(blocks, None)
    except Exception as error:
        for cause in _causes(error):
            if isinstance(cause, RerankError):
                raise cause from None
        raise


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        if isinstance(within := getattr(found, "cause", None), BaseException):
            yield from chain([within], _causes(within))
        found = found.__cause__
