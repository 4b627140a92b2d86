/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * walk_tasks.c: listing what targets need, inputs first, with a stack of its
 * own: a chain may be a million long.
 */
#include "collect.h"
#include "gil.h"
#include "lower.h"

#define STEPS 512 /* from one pause to the next: about 0.1 ms */

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
    py_walk_settle(walk);
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

static int pause_sometimes(py_walk *walk)
{
    if (++walk->steps < STEPS)
        return 0;
    walk->steps = 0;
    return py_gil_pause(walk->state);
}

int py_walk_add(py_walk *walk, py_delayed_object *root)
{
    if (look(walk, (PyObject *)root) != 0)
        return -1;
    while (walk->depth > 0) {
        if (step(walk) != 0 || pause_sometimes(walk) != 0)
            return -1;
    }
    return pause_sometimes(walk);
}

int py_walk_note(py_walk *walk, py_delayed_object *task)
{
    if (pause_sometimes(walk) != 0)
        return -1;
    py_walk_settle(walk);
    return py_walk_has(walk, task) ? 0 : append(walk, task);
}

void py_walk_mark_again(py_walk *walk)
{
    walk->state->marker = walk->id;
    for (uint32_t i = 0; i < walk->n; i++)
        walk->tasks[i]->mark = i;
}

void py_walk_init(py_walk *walk, py_state *state)
{
    *walk = (py_walk){ .state = state, .id = ++state->walks };
    state->marker = walk->id;
}

void py_walk_fini(py_walk *walk)
{
    PyMem_RawFree(walk->tasks);
    PyMem_RawFree(walk->frames);
}
