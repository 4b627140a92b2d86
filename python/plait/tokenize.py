# SPDX-License-Identifier: BSD-3-Clause
"""Names for values: equal values get equal tokens.

``plait.tokenize`` is this module and a function: ``plait.tokenize(value)``.
A token is 32 hexadecimal digits. When Dask is loaded, its own ``tokenize`` is
asked, so that what is registered there counts here too; otherwise the value is
walked and hashed by what it is, never by where it lies in memory. What can't be
told apart for certain gets a fresh token, or a :class:`TokenizationError` when
``tokenize.ensure-deterministic`` is set.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import importlib
import os
import pickle
import struct
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from plait import config
from plait._core import Delayed

__all__ = ["TokenizationError", "fresh", "normalize_token", "tokenize"]


class TokenizationError(RuntimeError):
    """A value has no deterministic token."""


def fresh() -> str:
    """A token that no other value has.

    Returns
    -------
    str
        32 random hexadecimal digits. Nobody's random numbers are used up.
    """
    return os.urandom(16).hex()


def tokenize(*args: object, **kwargs: object) -> str:
    """The token of these arguments.

    Parameters
    ----------
    *args, **kwargs
        What is to be named; their order counts for positional arguments only.

    Returns
    -------
    str
        32 hexadecimal digits: equal for equal arguments in this process.

    Raises
    ------
    TokenizationError
        A value has no deterministic token, and
        ``tokenize.ensure-deterministic`` is set.

    Examples
    --------
    >>> tokenize([1, 2]) == tokenize([1, 2])
    True
    >>> tokenize(1) == tokenize(1.0)
    False
    """
    theirs = _dask_tokenize()
    if theirs is not None:
        return theirs(*args, **kwargs)
    if not kwargs:
        flat = _flat(args)
        if flat is not None:
            return flat
    try:
        return _Walk().digest((args, kwargs) if kwargs else args).hex()
    except (RecursionError, _Unknown) as why:
        if config.get("tokenize.ensure-deterministic", False):
            raise TokenizationError(
                f"cannot be deterministically hashed: {why}"
            ) from None
        return fresh()


def _flat(args: tuple[object, ...]) -> str | None:
    """The token of what most calls have: numbers, texts and Delayeds. None:
    there is more to it."""
    kinds = set(map(type, args))
    if Delayed in kinds:
        keys = [one.key for one in args if type(one) is Delayed]
        if set(map(type, keys)) != {str}:
            return None
        # In a tuple, which is none of the plain types: not a mere text.
        args = tuple(
            (one.key,) if type(one) is Delayed else one for one in args
        )
        kinds.discard(Delayed)
    if not kinds <= _PLAIN:
        return None
    text = repr(args).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, person=b"flat").hexdigest()


def _dask_tokenize() -> Callable[..., str] | None:
    base = sys.modules.get("dask.base")
    # None while another thread is in the middle of importing Dask.
    found: Callable[..., str] | None = getattr(base, "tokenize", None)
    return found


@functools.singledispatch
def normalize_token(value: object) -> object:
    """What a value is hashed as. Register a function for a type of your own.

    Parameters
    ----------
    value
        The value to be named.

    Returns
    -------
    object
        Something simpler that is equal for equal values.

    Examples
    --------
    >>> class Table:
    ...     def __init__(self, path):
    ...         self.path = path
    >>> @normalize_token.register(Table)
    ... def _(table):
    ...     return "Table", table.path
    >>> tokenize(Table("a.csv")) == tokenize(Table("a.csv"))
    True
    """
    return value


class _Unknown(Exception):
    """Nothing is known about a value that would name it."""


class _Walk:
    """One walk over a value. It knows the values it is inside of, so that a
    list that holds itself has a token too."""

    def __init__(self) -> None:
        self._inside: dict[int, int] = {}

    def digest(self, value: object) -> bytes:
        made = hashlib.blake2b(digest_size=16)
        for part in self._parts(value):
            made.update(part)
        return made.digest()

    def _parts(self, value: object) -> Iterable[bytes]:
        kind = type(value)
        encode = _ENCODERS.get(kind)
        if encode is not None:
            return _tagged(kind, encode(value))
        depth = self._inside.get(id(value))
        if depth is not None:
            return _tagged(_Walk, b"%d" % depth)
        self._inside[id(value)] = len(self._inside)
        try:
            return list(self._compound(kind, value))
        finally:
            del self._inside[id(value)]

    def _compound(self, kind: type, value: Any) -> Iterable[bytes]:
        if kind is tuple or kind is list:
            return _tagged(kind, *map(self.digest, value))
        if kind is dict:
            return _tagged(kind, *sorted(map(self.digest, value.items())))
        if kind is set or kind is frozenset:
            return _tagged(kind, *sorted(map(self.digest, value)))
        return self._object(kind, value)

    def _object(self, kind: type, value: Any) -> Iterable[bytes]:
        normal = normalize_token(value)
        if normal is not value:
            return _tagged(kind, self.digest(normal))
        if isinstance(value, type):
            return _tagged(type, self.digest(_type_name(value)))
        if hasattr(kind, "__dask_tokenize__"):
            named: Any = value
            return _tagged(kind, self.digest(named.__dask_tokenize__()))
        if isinstance(value, enum.Enum):
            return _tagged(kind, self.digest((_type_name(kind), value.name)))
        simple = _simpler(kind, value)
        if simple is not None:
            return _tagged(kind, *map(self.digest, simple))
        return _tagged(kind, _pickled(value))


def _tagged(kind: type, *parts: bytes) -> list[bytes]:
    """The parts with their type and lengths, so that no two values run
    together to the same bytes."""
    name = f"{kind.__module__}.{kind.__qualname__}".encode()
    made = [struct.pack("=QQ", len(name), len(parts)), name]
    for part in parts:
        made += (struct.pack("=Q", len(part)), part)
    return made


def _type_name(kind: type) -> tuple[object, ...]:
    name = (kind.__module__, kind.__qualname__)
    found: object = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    # A class made in a function, or defined again under its name, is another
    # class than the one that the name would find.
    return name if found is kind else (*name, id(kind))


def _simpler(kind: type, value: Any) -> tuple[object, ...] | None:
    """Simpler values that together say what this one is; None: not known."""
    take = _SIMPLER.get(kind)
    if take is not None:
        made: tuple[object, ...] = take(value)
        return made
    module = kind.__module__.partition(".")[0]
    if module in _SAY_IT_ALL:
        return (repr(value),)
    if module == "numpy":
        return _numpy(kind, value)
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        return tuple((name, getattr(value, name, None)) for name in fields)
    return None


def _function(value: types.FunctionType) -> tuple[object, ...]:
    # By what it does, not by its name: in a notebook a name means another
    # function when its cell has run again.
    return (
        value.__module__,
        value.__qualname__,
        value.__code__,
        value.__defaults__,
        value.__kwdefaults__,
        tuple(_cell(cell) for cell in value.__closure__ or ()),
    )


def _cell(cell: types.CellType) -> object:
    try:
        return (cell.cell_contents,)
    except ValueError:  # not filled yet
        return ()


def _builtin(value: types.BuiltinFunctionType) -> tuple[object, ...]:
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return value.__module__, value.__qualname__
    return owner, value.__qualname__


def _code(code: types.CodeType) -> tuple[object, ...]:
    return (
        code.co_code,
        code.co_consts,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_flags,
        code.co_argcount,
        code.co_kwonlyargcount,
        code.co_posonlyargcount,
    )


def _numpy(kind: type, value: Any) -> tuple[object, ...] | None:
    """An array or a scalar of numpy by its bytes; None: something else."""
    numpy = sys.modules["numpy"]
    if kind is not numpy.ndarray and not issubclass(kind, numpy.generic):
        return None
    if value.dtype.hasobject:
        return None
    return str(value.dtype), value.shape, value.tobytes()


def _pickled(value: object) -> bytes:
    """The value's pickle, if it is the same twice."""
    for dumps in (pickle.dumps, _cloudpickle):
        try:
            first = _dump(dumps, value)
            same = _dump(dumps, value) == first
        except RecursionError:
            raise
        except Exception:  # pickling runs anybody's code
            continue
        # A name of the main program means something else when it is defined
        # again: only a pickle by value says what it is now.
        if same and (dumps is _cloudpickle or b"__main__" not in first):
            return first
    kind = type(value)
    raise _Unknown(f"an object of {kind.__module__}.{kind.__qualname__}")


def _dump(dumps: Callable[..., bytes], value: object) -> bytes:
    buffers: list[pickle.PickleBuffer] = []
    first = dumps(value, 5, buffer_callback=buffers.append)
    return b"".join((first, *(buffer.raw() for buffer in buffers)))


def _cloudpickle(value: object, protocol: int, **how: Any) -> bytes:
    cloudpickle = importlib.import_module("cloudpickle")
    made: bytes = cloudpickle.dumps(value, protocol, **how)
    return made


def _repr(value: object) -> bytes:
    return repr(value).encode("utf-8", "surrogatepass")


def _text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


# Values that are hashed as they stand: nothing is inside of them.
_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): _repr,
    type(Ellipsis): _repr,
    type(NotImplemented): _repr,
    bool: _repr,
    int: _repr,
    float: _repr,
    complex: _repr,
    range: _repr,
    str: _text,
    bytes: bytes,
    bytearray: bytes,
}

# Those of them whose repr says all, and is short to make.
_PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes))

# Values that are hashed as what they consist of.
_SIMPLER: dict[type, Callable[[Any], tuple[object, ...]]] = {
    slice: lambda value: (value.start, value.stop, value.step),
    functools.partial: lambda value: (value.func, value.args, value.keywords),
    types.MethodType: lambda value: (value.__func__, value.__self__),
    types.ModuleType: lambda value: (value.__name__,),
    types.FunctionType: _function,
    types.BuiltinFunctionType: _builtin,
    types.CodeType: _code,
}

# Modules of types whose repr says all there is to say.
_SAY_IT_ALL = frozenset(
    ("datetime", "decimal", "fractions", "pathlib", "uuid", "zoneinfo")
)


class _Module(types.ModuleType):
    """A module that can be called."""

    def __call__(self, *args: object, **kwargs: object) -> str:
        return tokenize(*args, **kwargs)


sys.modules[__name__].__class__ = _Module
