# SPDX-License-Identifier: BSD-3-Clause
"""The extension: building, lowering and running delayed calls in C.

This stub is the contract between the C files of ``python/src`` and the
Python modules of the package.

What the extension asks of the package, at first use and never at import:

``plait.tokenize.tokenize(*args, **kwargs) -> str``
    the token of a pure call. ``plait.tokenize.fresh() -> str``: one that is
    never met again, for an impure call whose key somebody asked for.
``plait.base.prepare(args, kwargs)``
    turns the arguments of ``plait.compute(*args, **kwargs)`` (and of
    ``Delayed.compute``: ``args`` is then ``(self,)``) into
    ``(targets, settings, finish)``: some Delayeds, the keyword arguments
    for `compute`, and a callable that gets the list of results and returns
    what the caller gets, a tuple. ``targets`` may be None: the extension runs
    nothing and returns ``finish(None)`` (a foreign scheduler). It is split
    thus so that no frame of the package lies between the caller and the task
    in a traceback.
``plait.config.config``
    a dict that is changed in place, never replaced. ``"delayed_pure"`` is
    looked up in it at each call whose purity nobody said (and in
    ``dask.config.config`` when dask is loaded and plait's has no such key).
``plait.collection``
    the cold half of Delayed. Each of these is called with the Delayed first:
    ``dask persist visualize visualise __dask_graph__ __dask_keys__
    __dask_layers__ __dask_tokenize__ __dask_optimize__ __dask_postcompute__
    __dask_postpersist__ __await__ _repr_svg_ _repr_html_ _repr_mimebundle_``
    under the names in `COLD`. ``__dask_scheduler__`` is looked up on the
    module as it is. ``from_collection(x) -> Delayed`` wraps an argument that
    is a collection of Dask; ``from_graph(cls, key, dsk, length, layer) ->
    Delayed`` makes ``Delayed(key, dsk)``.
``plait.iterators.warn_of_iterator(iterator)``
    called for an argument that is a generator, map, zip, filter or enumerate.
``plait.failures.log_failure(failure)``, ``warn_unrun(key, value)``
    called for each failure when it happens, and once for a task that returned
    a Delayed made while it ran; both in the thread of the task.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from os import PathLike
from types import MethodType
from typing import Any, Literal, TypeVar, final, overload

_T = TypeVar("_T")
_OnError = Literal["finish", "stop", "collect"]
_OnFailure = Literal["pass"]
_State = Literal["waiting", "running", "done", "errored", "skipped"]
_Key = str | tuple[Any, ...]

# (start, start_state, pretask, posttask, finish), as in Dask; each may be None.
# dsk and state are None: plait.callbacks knows them. A sixth function gets the
# key of each task that has ended, or never ran, without a value. They are
# called one at a time: in the thread that computes; where the event happens in
# a computation that a task or `start` began. A task waits for its pretask, and
# what needs its value for its posttask. The first exception ends the run.
_Five = tuple[
    Callable[..., object] | None,
    Callable[..., object] | None,
    Callable[..., object] | None,
    Callable[..., object] | None,
    Callable[..., object] | None,
]
_Six = tuple[
    Callable[..., object] | None,
    Callable[..., object] | None,
    Callable[..., object] | None,
    Callable[..., object] | None,
    Callable[..., object] | None,
    Callable[..., object] | None,
]
_Callback = _Five | _Six

__version__: str
COLD: Mapping[str, str]
"""Attribute of Delayed -> name of the function of ``plait.collection``."""

class Delayed:
    """A call that has not been made yet, and the value it will have.

    Calling it, its attributes, items and operators are delayed in turn.
    Immutable. ``Delayed(key, dsk)`` makes one of a graph of Dask.
    """

    def __init__(
        self,
        key: _Key,
        dsk: Mapping[Any, Any],
        length: int | None = None,
        layer: str | None = None,
    ) -> None: ...
    @property
    def key(self) -> _Key: ...
    @property
    def dask(self) -> Mapping[Any, Any]: ...
    # what a leaf was made with; AttributeError on what is no leaf, for _attr
    # on what is no attribute
    @property
    def _key(self) -> _Key: ...
    @property
    def _length(self) -> int | None: ...
    @property
    def _obj(self) -> Any: ...
    @property
    def _pure(self) -> bool | None: ...
    @property
    def _nout(self) -> int | None: ...
    @property
    def _attr(self) -> str: ...
    def compute(
        self,
        *,
        scheduler: Any = None,
        optimize_graph: bool = True,
        **kwargs: Any,
    ) -> Any: ...
    def persist(self, **kwargs: Any) -> Delayed: ...
    def visualize(self, filename: str | None = "plait", **kw: Any) -> Any: ...
    def __call__(
        self,
        *args: Any,
        pure: bool | None = None,
        dask_key_name: _Key | None = None,
        **kwargs: Any,
    ) -> Delayed: ...
    def __get__(self, instance: Any, owner: Any) -> MethodType | Delayed: ...
    def __getattr__(self, name: str) -> Delayed: ...
    def __getitem__(self, item: Any) -> Delayed: ...
    def __iter__(self) -> Iterator[Delayed]: ...
    def __len__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object) -> Delayed: ...  # type: ignore[override]
    def __ne__(self, other: object) -> Delayed: ...  # type: ignore[override]
    def __lt__(self, other: Any) -> Delayed: ...
    def __le__(self, other: Any) -> Delayed: ...
    def __gt__(self, other: Any) -> Delayed: ...
    def __ge__(self, other: Any) -> Delayed: ...
    def __add__(self, other: Any) -> Delayed: ...
    def __radd__(self, other: Any) -> Delayed: ...
    def __sub__(self, other: Any) -> Delayed: ...
    def __rsub__(self, other: Any) -> Delayed: ...
    def __mul__(self, other: Any) -> Delayed: ...
    def __rmul__(self, other: Any) -> Delayed: ...
    def __matmul__(self, other: Any) -> Delayed: ...
    def __rmatmul__(self, other: Any) -> Delayed: ...
    def __truediv__(self, other: Any) -> Delayed: ...
    def __rtruediv__(self, other: Any) -> Delayed: ...
    def __floordiv__(self, other: Any) -> Delayed: ...
    def __rfloordiv__(self, other: Any) -> Delayed: ...
    def __mod__(self, other: Any) -> Delayed: ...
    def __rmod__(self, other: Any) -> Delayed: ...
    def __pow__(self, other: Any) -> Delayed: ...
    def __rpow__(self, other: Any) -> Delayed: ...
    def __and__(self, other: Any) -> Delayed: ...
    def __rand__(self, other: Any) -> Delayed: ...
    def __or__(self, other: Any) -> Delayed: ...
    def __ror__(self, other: Any) -> Delayed: ...
    def __xor__(self, other: Any) -> Delayed: ...
    def __rxor__(self, other: Any) -> Delayed: ...
    def __lshift__(self, other: Any) -> Delayed: ...
    def __rlshift__(self, other: Any) -> Delayed: ...
    def __rshift__(self, other: Any) -> Delayed: ...
    def __rrshift__(self, other: Any) -> Delayed: ...
    def __neg__(self) -> Delayed: ...
    def __pos__(self) -> Delayed: ...
    def __abs__(self) -> Delayed: ...
    def __invert__(self) -> Delayed: ...

@overload
def delayed(
    obj: Any,
    name: _Key | None = None,
    pure: bool | None = None,
    nout: int | None = None,
    traverse: bool = True,
    *,
    retries: int | None = None,
    timeout: float | None = None,
    on_failure: _OnFailure | None = None,
) -> Delayed:
    """Make a function lazy, or wrap a value.

    Parameters
    ----------
    obj
        A function, or any value. Without it a decorator is returned that has
        the other arguments.
    name
        The key of what is returned.
    pure
        Equal calls are one task. None: as the config's ``delayed_pure`` says.
    nout
        How many outputs a call has: it can then be iterated over.
    traverse
        Whether Delayeds are looked for inside ``obj``.
    retries, timeout
        Of each call: how often it is tried again, and its seconds.
    on_failure
        ``"pass"``: a call whose inputs failed runs, with `Failure` objects.
    """
@overload
def delayed(
    *,
    name: _Key | None = None,
    pure: bool | None = None,
    nout: int | None = None,
    traverse: bool = True,
    retries: int | None = None,
    timeout: float | None = None,
    on_failure: _OnFailure | None = None,
) -> Callable[[Any], Delayed]: ...

@final
class Ref:
    """In what `graph` returns: the place of another task's result."""

    @property
    def key(self) -> _Key: ...

@final
class Method:
    """``Method(name)(obj, *args, **kwargs)`` calls that method of ``obj``."""

    def __init__(self, name: str) -> None: ...
    @property
    def method(self) -> str: ...
    def __call__(self, obj: Any, *args: Any, **kwargs: Any) -> Any: ...

@final
class Failure:
    """Why a task has no value. False in a condition.

    ``skipped``: the task never ran, since another failed; ``cause_key`` is
    the key of that one, and ``exception`` its exception. ``sources`` are the
    texts of the inputs that it came from, ``load_data('file_3.csv')``.
    """

    @property
    def key(self) -> _Key: ...
    @property
    def cause_key(self) -> _Key: ...
    @property
    def skipped(self) -> bool: ...
    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def exception(self) -> Exception: ...
    @property
    def traceback_text(self) -> str: ...
    def rerun(self) -> Any:
        """Call the failed task's function again, here, with its inputs."""
    def __bool__(self) -> Literal[False]: ...

class TaskCancelled(BaseException):
    """Raised in a task of a run that was cancelled, where it stands."""

@final
class Pool:
    """Worker threads of one's own: what `open_executor` returns."""

    @property
    def workers(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    def _grow(self, workers: int, /) -> None:
        """Have at least so many workers."""
    def _send_worker(self) -> None:
        """Have a worker call `work`, as soon as one is free."""

class Calls:
    """Calls that wait for workers, and workers that wait for calls. A subclass
    has methods ``_open``, which returns the pool whose work is to call `serve`,
    and ``_nobody``, called when the last worker has left."""

    def __init__(self, limit: int, future_type: type[Future[Any]]) -> None: ...
    @property
    def workers(self) -> int:
        """That serve, or are on their way."""
    def put(
        self,
        function: Callable[..., _T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        /,
    ) -> Future[_T]:
        """Have a call made. Raises what `refuse` was told."""
    def serve(self) -> None:
        """Make calls, as a worker, until none has come for long."""
    def leave(self) -> None:
        """What a worker calls that was sent, but can't serve."""
    def refuse(self, refusal: tuple[type[Exception], str], /) -> None:
        """Take no more calls; workers leave when all are made."""
    def rouse(self) -> None:
        """Have workers leave that wait for calls."""
    def share(self) -> None:
        """From now on workers don't wait long: their pool has other work."""
    def withdraw(self, all: bool, /) -> list[Future[Any]]:
        """Take out calls that have not begun: all, or those to which no worker
        is on its way."""
    def renew(self) -> None:
        """In a forked child: forget workers and calls."""

_Timing = tuple[str, int | None, int, float | None, float | None]

@final
class Observer:
    """Something in C that watches computations: `progress`, `trace`,
    `profile` or `tally` made it. It may watch several, also at one time."""

    @property
    def closed(self) -> bool: ...
    @property
    def watches(self) -> bool:
        """Whether a computation goes on that it watches."""
    def close(self) -> None:
        """Let go of it; a trace is written now: OSError when it can't be.
        RuntimeError while a computation goes on that it watches."""
    def times(self) -> dict[_Key, float]:
        """Of a profile: the seconds that each task took that ran."""
    def timings(self) -> dict[_Key, _Timing]:
        """Of a profile: outcome (running, done, errored, skipped), worker,
        attempts, begin and end of each task's last run, the latter two by
        the clock of time.monotonic."""
    def counts(self) -> dict[str, int]:
        """Of a tally: total, done, failed, skipped; also while they run."""
    def __enter__(self) -> Observer: ...
    def __exit__(self, *raised: object) -> None: ...

def progress(file: Any = None) -> Observer:
    """Shows progress on a file that has a descriptor, or on stderr: a bar on
    a terminal, else a line every few seconds and at the end."""

def trace(path: str | os.PathLike[str]) -> Observer:
    """Writes a Chrome trace, which Perfetto opens, when it is closed: a lane
    for each worker, a slice for each task, an arrow for each input."""

def profile() -> Observer:
    """Notes when each task ran, where, and how it ended."""

def tally() -> Observer:
    """Counts tasks."""

def draw(
    source: Sequence[Delayed] | Run,
    path: str | os.PathLike[str],
    profile: Observer | None = None,
) -> None:
    """Draw what some Delayeds need, or a Run, in the format of the path's
    extension, by Graphviz in this process; ``.dot`` is its text. A profile
    that watched the run colours the tasks by outcome and time.

    ValueError: no such format, or too large for a picture; RuntimeError:
    Graphviz is not there; OSError: the file can't be written."""

def order(targets: Sequence[Delayed]) -> list[Delayed]:
    """What some Delayeds need, and they, in the order in which one worker runs
    them; of those that are one task, one. Values are none."""

@final
class Run:
    """A computation that goes on in the background."""

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it has ended within ``timeout`` seconds. Never raises what
        a task raised."""
    def cancel(self) -> None: ...
    def done(self) -> bool: ...
    def result(
        self, target: Delayed | None = None, timeout: float | None = None
    ) -> Any:
        """The value of one target, or of all of them as a list; waits."""
    def exception(self) -> BaseException | None:
        """Why the run as a whole failed; None while it goes on."""
    def state(self, task: Delayed) -> _State: ...
    def counts(self) -> dict[str, int]:
        """total, done, failed, skipped, running, waiting."""
    @property
    def failures(self) -> tuple[Failure, ...]: ...
    @property
    def targets(self) -> list[Delayed]: ...
    def __enter__(self) -> Run: ...
    def __exit__(self, *raised: object) -> None:
        """Waits, as `wait` does; after an exception, cancels first."""
    def add_done_callback(self, fn: Callable[[Run], object]) -> None:
        """``fn(run)`` once it has ended; on any thread."""
    def visualize(self, *args: Any, **kwargs: Any) -> Any:
        """``plait.collection.visualize_run(run, *args, **kwargs)``."""

def collect(
    obj: Any, traverse: bool = True
) -> tuple[list[Delayed], Callable[[Sequence[object]], Any]]:
    """The Delayeds in nested containers, each once, and a function that
    rebuilds ``obj`` with their results in their places."""

def compute(
    targets: Sequence[Delayed],
    *,
    scheduler: str = "threads",
    workers: int = 0,
    executor: Pool | None = None,
    on_error: _OnError = "finish",
    retries: int = 0,
    timeout: float | None = None,
    run_timeout: float | None = None,
    observers: Sequence[Observer] = (),
    callbacks: Sequence[_Callback] = (),
) -> list[Any]:
    """Run what the targets need; their values, in order.

    Raises what the first failed task raised, with its own traceback;
    ``on_error="collect"`` puts a `Failure` in the place of each target that
    has no value. TimeoutError after ``run_timeout``.
    """

def start(
    targets: Sequence[Delayed],
    *,
    scheduler: str = "threads",
    workers: int = 0,
    executor: Pool | None = None,
    on_error: _OnError = "finish",
    retries: int = 0,
    timeout: float | None = None,
    run_timeout: float | None = None,
    observers: Sequence[Observer] = (),
    callbacks: Sequence[_Callback] = (),
) -> Run:
    """`compute` without waiting."""

def compute_args(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """The public ``plait.compute``: asks ``plait.base.prepare`` and runs."""

def graph(
    targets: Sequence[Delayed],
) -> dict[_Key, tuple[Any, tuple[Any, ...], dict[str, Any]]]:
    """What the targets need, inputs first: key -> (function, args, kwargs).

    Results of other tasks are `Ref` objects, at any depth of the containers
    that were traversed. A function of None is a value: ``args[0]``.
    """

def dependencies(task: Delayed) -> list[Delayed]:
    """The tasks whose results a task uses, each once."""

def are_delayeds(objects: tuple[object, ...]) -> bool:
    """Whether there are some, and all are of the class Delayed itself."""

def environment_has(beginnings: tuple[bytes, ...]) -> bool:
    """Whether a line of the process's environment, ``NAME=value``, begins
    with one of these."""

def label(task: Delayed) -> str:
    """What a task does, in a word: the function's name, ``add``, ``.method``.
    """

def options(task: Delayed) -> dict[str, Any]:
    """retries, timeout, on_failure, annotations of a task, where set."""

def failures(exc: BaseException) -> tuple[Failure, ...]:
    """All failures of the run that raised ``exc``; () for any other."""

def use_annotations(var: ContextVar[dict[str, Any] | None]) -> None:
    """From now on each Delayed keeps the dict that is in ``var`` when it is
    made. For ``plait.annotate``, at its first use."""

def open_executor(
    scheduler: str = "threads",
    workers: int = 0,
    begin: Callable[[Callable[[], None], int], object] = ...,
    work: Callable[[], object] = ...,
) -> Pool:
    """``begin(main, number)`` begins the thread of a worker, which calls
    ``main``. ``work`` is for `Pool._send_worker`."""

def close_executor(pool: Pool) -> None:
    """Cancel its runs, wait for its tasks, end its threads. Idempotent."""

class TaskError(RuntimeError):
    """What a C function failed with.

    A C function that has no memory raises MemoryError, and one that stopped
    since its time was up TimeoutError; they have the attribute too.
    """

    status: str
    """The name of its ``plait_status``, ``"PLAIT_EINVAL"``."""

@final
class NativeFunction:
    """A function of a C library: ``__wrapped__`` of a `NativeLibrary`'s
    attribute. A call runs it at once, in this thread, without the GIL."""

    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    def __call__(self, *args: Any) -> Any: ...

@final
class NativeLibrary:
    """A C library; its attributes are delayed functions."""

    @property
    def __file__(self) -> str: ...
    def __getattr__(self, name: str) -> Delayed: ...

@final
class NativeValue:
    """An object of a C library's own type, for its other functions."""

    @property
    def type_name(self) -> str: ...

def native(path: str | PathLike[str], /) -> NativeLibrary:
    """The task functions of a C library, as attributes of what is returned.

    ``native("./pipeline.so").clean(x)`` makes a task, as a call of a delayed
    function does. It runs the C function ``clean``, a ``plait_fn``, without
    the GIL, beside tasks in Python.

    Arguments are values or the results of other tasks: None, bool, int of 64
    bits, float, str, list, tuple, dict, bytes and whatever has a buffer, and
    what such functions returned. Buffers are not copied, and must not change
    while the function runs. Results of bytes are memoryviews.

    Parameters
    ----------
    path
        The library's file. It stays loaded. A name without a slash is a file
        in the working directory.

    Raises
    ------
    OSError
        It can't be loaded.
    ImportError
        It uses another libplait than this package.
    """

def set_log_sink(
    sink: Callable[[int, float, str, str, str, str], object] | None,
) -> None:
    """Where the C library's log lines go: level, seconds since 1970, logger,
    task, thread name, message."""

def set_log_level(level: int, /) -> None:
    """The lowest level of lines that go there; 20 at first."""

def current_task() -> _Key | None:
    """The key of the task that this thread runs."""
