"""Documents written over a Ray cluster: Ray Data hands them to a pool of actors, each with one Summarizer of its own.

The one file that imports `ray`. Knows neither files nor the store: what comes in are documents, what goes out are
outcomes, as of `Summarizer.write`. Ray needs sockets and processes, so nothing here works while the guard is closed.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from localsum.brief import Brief
from localsum.document import Document
from localsum.errors import EngineError, LocalsumError, ModelError, UsageError
from localsum.guard import sealed
from localsum.pipeline import Failed
from localsum.summarizer import Summarizer

PER_TASK = 8  # documents: an engine writes some beside each other; what a lost machine had is written again
AT_ONCE = 2_000  # documents in memory; the actors are made anew for the next
_STORE_BYTES = 128 * 1024 * 1024  # of memory that Ray's processes share on this computer; texts are small
_WAIT_S = 10.0  # for the head of a cluster to answer
_QUIET = {  # Ray looks at them when it is imported and started
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}


@dataclass(frozen=True, slots=True)
class Pool:
    """How many engines, with how many threads each, and where: `address` of a cluster, or "local" for this computer."""

    actors: int = 2
    threads: int = 1
    address: str = "local"


@contextmanager
def cluster(pool: Pool) -> Iterator[None]:
    """Ray, started on this computer or joined where it runs already. Raises UsageError."""
    os.environ.update(_QUIET)
    try:
        import ray
    except ImportError:
        raise UsageError("the package that runs on clusters is not installed", "pip install 'localsum[ray]'") from None
    options: dict[str, Any] = {"address": pool.address, "log_to_driver": False, "logging_level": logging.ERROR}
    if pool.address == "local":
        processors = pool.actors * pool.threads + 1  # one for Ray's own work; they are counted, not bound
        options |= {"num_cpus": processors, "object_store_memory": _STORE_BYTES, "include_dashboard": False}
    try:
        if match := re.fullmatch(r"(?:\w+://)?(\S+):(\d{1,5})", pool.address):
            socket.create_connection(
                (match[1], int(match[2])), _WAIT_S
            ).close()  # Ray itself tries for a minute, or dies
        with _without_stderr():
            ray.init(**options)
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise UsageError(
            f"no Ray cluster at {pool.address[:100]}: {reason}", "start one: ray start --head; or leave --address away"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Ray's C++ says there that it was told to be quiet."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def write(documents: Iterator[Document], make: Callable[[], Summarizer], pool: Pool) -> Iterator[Brief | Failed]:
    """A brief, or the reason why not, for each document, as they are done. Inside `cluster`.

    `make` is called once in each actor, in a process of its own and perhaps on another computer. Raises what it raises
    if that is a LocalsumError.
    """
    while some := list(islice(documents, AT_ONCE)):
        left = dict(enumerate(some))
        for per_task in (PER_TASK, 1):  # the second time those whose process died, each alone
            for number, outcome in _through(left, make, pool, per_task):
                if number in left:
                    left.pop(number)
                    yield outcome
            if not left:
                break
        for document in left.values():
            name = document.path or "the text"
            yield Failed(document, EngineError(f"{name}: it was not written: its process died or failed, twice"))


def _through(
    documents: dict[int, Document], make: Callable[[], Summarizer], pool: Pool, per_task: int
) -> Iterator[tuple[int, Brief | Failed]]:
    """Outcomes with the numbers of their documents. Those of processes that die are missing."""
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    ray.data.DataContext.get_current().max_errored_blocks = -1  # they are found missing, and tried again
    rows = [{"row": pickle.dumps(item)} for item in documents.items()]
    tasks = -(-len(rows) // per_task)
    data = ray.data.from_items(rows, override_num_blocks=tasks)
    with warnings.catch_warnings():  # of the last two, which it has no other way to say; without them it never gives up
        warnings.filterwarnings("ignore", message=".*ray_remote_args")
        data = data.map_batches(
            _writer(make),
            batch_size=None,
            # one task at a time, so that whose process dies takes no other with it
            compute=ray.data.ActorPoolStrategy(size=min(pool.actors, tasks), max_tasks_in_flight_per_actor=1),
            num_cpus=pool.threads,
            max_restarts=-1,
            max_task_retries=1,
        )
    for row in data.iter_rows():
        outcome = pickle.loads(row["row"])  # noqa: S301  (of our own processes)
        if isinstance(outcome, LocalsumError):
            raise outcome
        yield outcome


def _writer(make: Callable[[], Summarizer]) -> type[Any]:
    """The class of the actors. One made here travels whole, so that other computers need know nothing of the caller."""

    class Writer:
        def __init__(self) -> None:
            self.made: Summarizer | LocalsumError
            try:
                self.made = make()
            except LocalsumError as error:
                self.made = error

        def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
            return {"row": [pickle.dumps(outcome) for outcome in outcomes_of(self.made, batch["row"])]}

    return Writer


def outcomes_of(
    made: Summarizer | LocalsumError, rows: list[bytes]
) -> Iterator[tuple[int, Brief | Failed] | LocalsumError]:
    """What becomes of the rows of one task. While they are written, the guard is closed in the actor as well."""
    if isinstance(made, LocalsumError):
        yield made
        return
    found: dict[int, Document] = dict(pickle.loads(row) for row in rows)  # noqa: S301  (of our own processes)
    numbers = {id(document): number for number, document in found.items()}
    try:
        with sealed():
            written = list(made.write(found.values()))
    except LocalsumError as error:
        yield error
        return
    yield from ((numbers[id(outcome.document)], outcome) for outcome in written)


def summarizer(sha256: str, **options: Any) -> Summarizer:  # noqa: ANN401
    """A Summarizer whose model has these bytes. Raises ModelError where it has not, or there is none."""
    made = Summarizer(**options)
    if made.model.sha256 != sha256:
        raise ModelError(
            f"{made.model.name} is another file on another computer of the cluster",
            f"bring the same there: localsum models pull {made.model.name}",
        )
    return made
