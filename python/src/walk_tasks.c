/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk_tasks.c: listing what targets need, inputs first, with a stack of its
 * own: a chain may be a million long.
 */
#include <unistd.h>

#include "collect.h"
#include "lower.h"

#define STEPS 4096
#define MOST_NS 5000000
#define WAIT_US 500

/* Items that are gone through; `task` NULL: those of a container. */
typedef struct py_frame {
    py_delayed_object *task;
    PyObject *const *items;
    Py_ssize_t at;
    Py_ssize_t n;
} frame;

/* Room for one more item of `size` bytes in an array of n. */
static void *grow(void *items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return items;
    size_t wanted = *room ? *room * 2 : 64;
    if (wanted > PY_SSIZE_T_MAX / size) {
        PyErr_NoMemory();
        return NULL;
    }
    void *grown = PyMem_RawRealloc(items, wanted * size);
    if (grown)
        *room = wanted;
    else
        PyErr_NoMemory();
    return grown;
}

static int push(py_walk *walk, py_delayed_object *task, PyObject *const *items,
                Py_ssize_t n)
{
    frame *frames =
        grow(walk->frames, walk->depth, &walk->frames_room, sizeof *frames);
    if (!frames)
        return -1;
    walk->frames = frames;
    frames[walk->depth++] = (frame){ task, items, 0, n };
    return 0;
}

static int append(py_walk *walk, py_delayed_object *task)
{
    size_t room = walk->room;
    py_delayed_object **tasks =
        grow(walk->tasks, walk->n, &room, sizeof *tasks);
    if (!tasks)
        return -1;
    walk->tasks = tasks;
    if (room >= PY_NO_ROW) {
        PyErr_SetString(PyExc_OverflowError, "too many tasks");
        return -1;
    }
    walk->room = (uint32_t)room;
    task->mark = walk->n;
    tasks[walk->n++] = task;
    return walk->visit ? walk->visit(walk, task) : 0;
}

/* A Delayed that was met for the first time. */
static int enter(py_walk *walk, py_delayed_object *task)
{
    if (!(task->flags & PY_HAS_INPUTS))
        return append(walk, task);
    return push(walk, task, task->items, Py_SIZE(task));
}

static int look(py_walk *walk, PyObject *item)
{
    if (Py_TYPE(item) == walk->state->packed_type)
        return push(walk, NULL, ((py_packed *)item)->items, Py_SIZE(item));
    if (!py_is_delayed(walk->state, item))
        return 0;
    py_delayed_object *task = (py_delayed_object *)item;
    if (task->kind == PY_LEAF || py_walk_has(walk, task))
        return 0;
    return enter(walk, task);
}

static int step(py_walk *walk)
{
    frame *top = &walk->frames[walk->depth - 1];
    if (top->at < top->n)
        return look(walk, top->items[top->at++]);
    py_delayed_object *task = top->task;
    walk->depth--;
    return task ? append(walk, task) : 0;
}

/* Offers the GIL to others, when it was kept for long. */
static void rest(py_walk *walk)
{
    if (++walk->steps % STEPS != 0 || py_now_ns() - walk->kept_ns < MOST_NS)
        return;
    Py_BEGIN_ALLOW_THREADS Py_END_ALLOW_THREADS walk->kept_ns = py_now_ns();
}

int py_walk_add(py_walk *walk, py_delayed_object *root)
{
    if (look(walk, (PyObject *)root) != 0)
        return -1;
    rest(walk);
    while (walk->depth > 0) {
        if (step(walk) != 0)
            return -1;
        rest(walk);
    }
    return 0;
}

void py_walk_init(py_walk *walk, py_state *state)
{
    *walk = (py_walk){ .state = state };
    /* In a forked child a thread that walked is not there. */
    while (state->walker == getpid()) {
        Py_BEGIN_ALLOW_THREADS usleep(WAIT_US);
        Py_END_ALLOW_THREADS
    }
    state->walker = getpid();
    walk->walks = true;
    walk->kept_ns = py_now_ns();
}

void py_walk_done(py_walk *walk)
{
    if (walk->walks)
        walk->state->walker = 0;
    walk->walks = false;
}

void py_walk_fini(py_walk *walk)
{
    py_walk_done(walk);
    PyMem_RawFree(walk->tasks);
    PyMem_RawFree(walk->frames);
}
