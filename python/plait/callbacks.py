# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks: functions that are called as a computation goes on.

They have Dask's signatures, and Dask's own callbacks are called too when Dask
is loaded.

They are called one at a time, in the thread that computes, as in Dask. Where
no thread waits that could, they are called in those of the tasks: in a
computation that a task began, or :func:`plait.start`. A task waits for them:
it begins after ``pretask``, and what needs its value does after ``posttask``.
What a callback raises ends the computation, and is raised there.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from plait import _core, daskgraph
from plait.daskgraph import known_in, needs_of
from plait.preset import with_values
from plait.refs import calls

__all__ = [
    "Callback",
    "State",
    "add_callbacks",
    "are_any",
    "abandon",
    "begun",
    "in_background",
]

_Function = Callable[..., Any] | None
_Tuple = tuple[_Function, _Function, _Function, _Function, _Function]
# What the extension takes more: a function for tasks that got no value.
_Six = tuple[_Function, _Function, _Function, _Function, _Function, _Function]
_Self = TypeVar("_Self", bound="Callback")

_NAMES = ("_start", "_start_state", "_pretask", "_posttask", "_finish")


class Callback:
    """Functions that are called as a computation goes on.

    What ``start`` writes to the graph are values: their tasks don't run, nor
    what they alone need.

    Give functions, or write a subclass that has methods of the same names with
    an underscore before them. Use it in a ``with`` statement around what
    computes, or register it for all computations.

    Parameters
    ----------
    start : callable, optional
        ``start(dsk)``, before anything runs; ``dsk`` is the graph.
    start_state : callable, optional
        ``start_state(dsk, state)``, when the state is known: see `State`.
    pretask : callable, optional
        ``pretask(key, dsk, state)``, before each task.
    posttask : callable, optional
        ``posttask(key, result, dsk, state, worker_id)``, after each task.
    finish : callable, optional
        ``finish(dsk, state, errored)``, at the end, whatever happened.

    Examples
    --------
    >>> from plait import delayed
    >>> def show(key, dsk, state):
    ...     print("running", key)
    >>> with Callback(pretask=show):
    ...     delayed(abs)(-1, dask_key_name="one").compute()
    running one
    1
    """

    #: The callbacks of all computations, as tuples of five functions.
    active: ClassVar[set[_Tuple]] = set()

    def __init__(
        self,
        start: _Function = None,
        start_state: _Function = None,
        pretask: _Function = None,
        posttask: _Function = None,
        finish: _Function = None,
    ) -> None:
        given = (start, start_state, pretask, posttask, finish)
        for name, function in zip(_NAMES, given):
            if function is not None:
                setattr(self, name, function)

    @property
    def _callback(self) -> _Tuple:
        found = [getattr(self, name, None) for name in _NAMES]
        return found[0], found[1], found[2], found[3], found[4]

    def __enter__(self: _Self) -> _Self:
        self._added = add_callbacks(self)
        self._added.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._added.__exit__(kind, error, traceback)

    def _observer(
        self, targets: list[_core.Delayed]
    ) -> _core.Observer | None:
        """What watches a computation of these in the place of all functions
        but ``_start`` and ``_finish``, which get no graph then: it costs far
        less."""
        return None

    def register(self) -> None:
        """Call the functions in all computations from now on."""
        Callback.active.add(self._callback)

    def unregister(self) -> None:
        """Take back :meth:`register`."""
        Callback.active.remove(self._callback)


class add_callbacks:
    """Has callbacks called in the computations of a ``with`` block.

    Parameters
    ----------
    *callbacks : Callback or tuple
        What to call.
    """

    def __init__(self, *callbacks: Any) -> None:
        self.callbacks = [_as_tuple(one) for one in callbacks]
        Callback.active.update(self.callbacks)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        Callback.active.difference_update(self.callbacks)


class State(dict[str, Any]):
    """How far a computation is.

    A dict that changes as it goes on: ``ready``, ``running``, ``finished``,
    ``errored`` (themselves, or for what they need) and ``released`` are sets of
    keys; ``waiting`` and ``waiting_data`` say for a key what it still needs,
    and who still needs it; ``cache`` has the values; ``dependencies`` and
    ``dependents`` never change.

    Parameters
    ----------
    needs : dict
        The keys that each key needs.
    values : dict
        What is known from the beginning.
    targets : set
        Keys whose values are kept.
    """

    def __init__(
        self,
        needs: dict[Any, set[Any]],
        values: dict[Any, Any],
        targets: set[Any],
    ) -> None:
        users: dict[Any, set[Any]] = {key: set() for key in needs}
        for key, inputs in needs.items():
            for one in inputs:
                users[one].add(key)
        left = {
            key: {one for one in inputs if one not in values}
            for key, inputs in needs.items()
            if key not in values
        }
        super().__init__(
            dependencies=needs,
            dependents=users,
            waiting={key: keys for key, keys in left.items() if keys},
            waiting_data={key: set(keys) for key, keys in users.items()},
            cache=dict(values),
            ready={key for key, keys in left.items() if not keys},
            running=set(),
            finished=set(),
            errored=set(),
            released=set(),
        )
        self.known = frozenset(values)
        self._targets = targets

    def begin(self, key: Any) -> None:
        """A task begins."""
        self["ready"].discard(key)
        self["running"].add(key)

    def end(self, key: Any, value: Any) -> None:
        """A task has its value."""
        self["running"].discard(key)
        self["finished"].add(key)
        self["cache"][key] = value
        for user in self["dependents"].get(key, ()):
            left = self["waiting"].get(user)
            if left is not None:
                left.discard(key)
                if not left:
                    del self["waiting"][user]
                    self["ready"].add(user)
        for one in self["dependencies"].get(key, ()):
            self._used(one, key)

    def lose(self, key: Any) -> None:
        """A task has failed, or will never run."""
        self["running"].discard(key)
        self["ready"].discard(key)
        self["waiting"].pop(key, None)
        self["errored"].add(key)

    def _used(self, key: Any, user: Any) -> None:
        users = self["waiting_data"].get(key, set())
        users.discard(user)
        if not users and key not in self._targets:
            self["waiting_data"].pop(key, None)
            self["cache"].pop(key, None)
            self["released"].add(key)


def are_any() -> bool:
    """Whether there are callbacks for all computations, of ours or Dask's."""
    if Callback.active:
        return True
    theirs = sys.modules.get("dask.callbacks")
    return theirs is not None and any(kind.active for kind in _kinds())


def begun(
    targets: list[_core.Delayed], given: Iterable[Any] | None
) -> tuple[list[_core.Delayed], Sequence[_Six], list[_core.Observer]]:
    """Calls the ``start`` of the callbacks that there are.

    Parameters
    ----------
    targets : list of Delayed
        What is to be computed.
    given : iterable of Callback, optional
        The callbacks of this computation, instead of those that are active.

    Returns
    -------
    targets : list of Delayed
        The same, but for tasks whose values a callback wrote to the graph.
    functions : sequence of tuples
        None or one: what the extension is to call. `finish` does nothing the
        second time.
    observers : list of Observer
        What is to watch.
    """
    if given is not None:
        wanted = [_as_tuple(one) for one in given]
    else:
        called = _called.get()
        wanted = [
            one
            for kind in _kinds()
            for one in kind.active
            if one not in called
        ]
    if not wanted:
        return targets, (), []
    observers = {one: _observer(one, targets) for one in wanted}
    loud = [one for one in wanted if observers[one] is None]
    frame = _Bridge(targets, wanted, loud) if loud else _Frame(wanted)
    targets = frame.begin(targets)
    watching = [one for one in observers.values() if one]
    return targets, (frame.functions,), watching


def abandon(callbacks: Sequence[_Six]) -> None:
    """Calls the ``finish`` of callbacks whose computation didn't begin.

    Parameters
    ----------
    callbacks : sequence of tuples
        What :func:`begun` made.
    """
    for one in callbacks:
        if one[4]:
            one[4](None, None, True)


def _observer(
    callback: _Tuple, targets: list[_core.Delayed]
) -> _core.Observer | None:
    functions = [one for one in callback if one]
    owner = getattr(functions[0], "__self__", None) if functions else None
    return owner._observer(targets) if isinstance(owner, Callback) else None


# What is called for a computation in the background that this is a task of.
_called: ContextVar[frozenset[_Tuple]] = ContextVar(
    "plait_called", default=frozenset()
)


@contextlib.contextmanager
def in_background(callbacks: Sequence[_Six]) -> Iterator[None]:
    """A computation begins that nobody waits for: others that begin meanwhile
    call what is active, but not those that its tasks begin.

    Parameters
    ----------
    callbacks : sequence of tuples
        What :func:`begun` made.
    """
    bridges = [getattr(one[0], "__self__") for one in callbacks]
    called = _called.get().union(*(bridge.callbacks for bridge in bridges))
    for bridge in bridges:
        bridge.hides = False
    token = _called.set(called)
    try:
        yield
    finally:
        _called.reset(token)


def _as_tuple(callback: Any) -> _Tuple:
    found: Any = getattr(callback, "_callback", callback)
    if not isinstance(found, tuple):
        raise TypeError("Callbacks must be either `Callback` or `tuple`")
    return found[0], found[1], found[2], found[3], found[4]


def _kinds() -> list[Any]:
    """Our class Callback, and Dask's."""
    theirs = getattr(sys.modules.get("dask.callbacks"), "Callback", None)
    return [Callback] if theirs in (None, Callback) else [Callback, theirs]


class _Frame:
    """Between the extension and callbacks, for one computation that nobody
    but observers watch: its beginning and its end."""

    def __init__(self, callbacks: list[_Tuple]) -> None:
        self.callbacks = callbacks
        self.hides = True
        self._begun: list[_Tuple] = []
        self._dsk: Any = {}
        self._state: Any = {}
        self._hidden: _Hidden | None = None

    @property
    def functions(self) -> _Six:
        return self._start, None, None, None, self._finish, None

    def begin(self, targets: list[_core.Delayed]) -> list[_core.Delayed]:
        hidden = _Hidden()
        try:
            for one in self.callbacks:
                if one[0]:
                    one[0](self._dsk)
                self._begun.append(one)
            return self._written(targets)
        except BaseException:
            self._finish(None, None, True)
            raise
        finally:
            hidden.show()

    def _written(self, targets: list[_core.Delayed]) -> list[_core.Delayed]:
        return targets

    def _start(self, _: Any) -> None:
        if self.hides:
            self._hidden = _Hidden()

    def _finish(self, _: Any, __: Any, errored: bool) -> None:
        begun, self._begun = self._begun, []
        if self._hidden is not None:
            self._hidden.show()
        error = None
        for one in begun:
            try:
                if one[4]:
                    one[4](self._dsk, self._state, errored)
            except BaseException as what:  # the others are called all the same
                error = error or what
        if error is not None:
            raise error


class _Bridge(_Frame):
    """The same, and its tasks, for those that are called for them."""

    def __init__(
        self,
        targets: list[_core.Delayed],
        callbacks: list[_Tuple],
        called: list[_Tuple],
    ) -> None:
        super().__init__(callbacks)
        self._called = called
        self._tasks = calls(targets)
        self._dsk = daskgraph.tasks_of(self._tasks)
        self._before = dict(self._dsk)

    def _written(self, targets: list[_core.Delayed]) -> list[_core.Delayed]:
        tasks, before = self._tasks, self._before
        values = {
            key: value
            for key, value in self._dsk.items()
            if key in before and value is not before[key]
        }
        if values:
            targets = with_values(targets, values)
            tasks = calls(targets)
        self._state = State(
            needs_of(tasks),
            known_in(tasks),
            {target.key for target in targets},
        )
        return targets

    @property
    def functions(self) -> _Six:
        return (
            self._start,
            self._start_state,
            self._pretask,
            self._posttask,
            self._finish,
            self._no_value,
        )

    def _start_state(self, _: Any, __: Any) -> None:
        for one in self._called:
            if one[1]:
                one[1](self._dsk, self._state)

    def _pretask(self, key: Any, _: Any, __: Any) -> None:
        if key in self._state.known:
            return
        self._state.begin(key)
        for one in self._called:
            if one[2]:
                one[2](key, self._dsk, self._state)

    def _posttask(
        self, key: Any, result: Any, _: Any, __: Any, worker: Any
    ) -> None:
        if key in self._state.known:
            return
        self._state.end(key, result)
        for one in self._called:
            if one[3]:
                one[3](key, result, self._dsk, self._state, worker)

    def _no_value(self, key: Any) -> None:
        self._state.lose(key)


class _Hidden:
    """While it lives, nothing is active: only the outermost computation calls
    what is registered, not those that its tasks begin."""

    _all: ClassVar[list[_Hidden]] = []
    _lock = threading.Lock()

    def __init__(self) -> None:
        with self._lock:
            self._before = [(kind, kind.active) for kind in _kinds()]
            self._instead: list[set[_Tuple]] = [set() for _ in self._before]
            for (kind, _), nothing in zip(self._before, self._instead):
                kind.active = nothing
            self._all.append(self)

    def show(self) -> None:
        with self._lock:
            if self not in self._all:
                return
            self._all.remove(self)
            for (kind, before), nothing in zip(self._before, self._instead):
                self._give_back(kind, before, nothing)

    def _give_back(self, kind: Any, before: Any, nothing: Any) -> None:
        if kind.active is nothing:
            kind.active = before
            return
        # Another computation has hidden it again since: it gives it back.
        for other in self._all:
            other._before = [
                (one, before if there is nothing else there)
                for one, there in other._before
            ]
