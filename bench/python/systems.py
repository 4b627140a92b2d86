# SPDX-License-Identifier: BSD-3-Clause
"""What is measured: each system as (lazy, compute), where `lazy(function)` is
lazy, and `compute(targets, workers)` runs. A system is imported when it is
asked for, so that it alone is in the process."""


def plain():
    return (lambda function: function), (lambda targets, workers: targets)


def futures():
    import futures

    return futures.lazy, futures.compute


def of_dask(dask, **settings):
    """With threads, the default of both."""
    def compute(targets, workers):
        return dask.compute(*targets, num_workers=workers, **settings)

    return compute


def plait(**settings):
    import plait

    return plait.delayed, of_dask(plait, **settings)


def plait_sync():
    return plait(scheduler="sync")


def dask(**settings):
    import dask

    return dask.delayed, of_dask(dask, **settings)


def dask_sync():
    return dask(scheduler="sync")


def dask_on_plait():
    """dask.compute, of what plait.delayed made."""
    import dask
    import plait

    return plait.delayed, of_dask(dask)


SYSTEMS = {"plait": plait, "plait-sync": plait_sync, "plain": plain,
           "partials": None,         # see partials.py
           "futures": futures, "dask": dask, "dask-sync": dask_sync,
           "dask-on-plait": dask_on_plait}
