/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * delayed.h: plait_delayed(graph, fn, …), the call that looks like a call.
 *
 * 0 to 16 arguments: integers, floats, bool, char * (copied), plait_task (the
 * task's result) and plait_value (taken). A plain pointer doesn't compile: use
 * plait_object(type, pointer) or plait_nil(). More than 16: plait_call.
 * In C11 `true` is an int: for a bool, plait_bool(true) or a variable.
 * The task is named after `fn`.
 * Thread: builder.  Blocks: no.
 */
#ifndef PLAIT_DELAYED_H
#define PLAIT_DELAYED_H

#include <plait/graph.h>

#ifdef __cplusplus

#include <type_traits>

namespace plait_detail {
inline plait_value argument(plait_value v)
{
    return v;
}
inline plait_value argument(plait_task task)
{
    return plait_ref(task);
}
inline plait_value argument(const char *text)
{
    return plait_string(text);
}
template <typename T>
inline typename std::enable_if<std::is_arithmetic<T>::value, plait_value>::type
argument(T x)
{
    if constexpr (std::is_same<T, bool>::value)
        return plait_bool(x);
    else if constexpr (std::is_floating_point<T>::value)
        return plait_float(static_cast<double>(x));
    else if constexpr (std::is_unsigned<T>::value)
        return plait_uint(static_cast<uint64_t>(x));
    else
        return plait_int(static_cast<int64_t>(x));
}
template <typename T> inline plait_value argument(T *)
{
    static_assert(sizeof(T) == 0, "a plain pointer can't be an argument: use "
                                  "plait_object or plait_nil()");
    return plait_nil();
}
template <typename... A>
inline plait_task delayed(const char *name, plait_graph *graph, plait_fn fn,
                          A... args)
{
    static_assert(sizeof...(A) <= 16,
                  "plait_delayed takes up to 16 arguments: use plait_call");
    const plait_value values[sizeof...(A) + 1] = { argument(args)... };
    return plait_call(graph, fn, name, values, sizeof...(A));
}
} // namespace plait_detail

#define PLAIT_DELAYED_NAME(graph, fn, ...) #fn
#define plait_delayed(...) \
    plait_detail::delayed(PLAIT_DELAYED_NAME(__VA_ARGS__, ), __VA_ARGS__)

#else

/* Never defined: a call to it is the compile error that it carries. */
PLAIT_COMPILE_ERROR("a plain pointer can't be an argument of plait_delayed: "
                    "use plait_object or plait_nil()")
plait_value plait_pointer_argument(const void *pointer);

PLAIT_API inline plait_value plait_argument(plait_value v)
{
    return v;
}

/* clang-format off */
#define PLAIT_ARGUMENT(x)                                                      \
    _Generic((x),                                                              \
        bool: plait_bool,                                                      \
        char: plait_int, signed char: plait_int, unsigned char: plait_int,     \
        short: plait_int, unsigned short: plait_int,                           \
        int: plait_int, unsigned: plait_int,                                   \
        long: plait_int, unsigned long: plait_uint,                            \
        long long: plait_int, unsigned long long: plait_uint,                  \
        float: plait_float, double: plait_float,                               \
        char *: plait_string, const char *: plait_string,                      \
        plait_task: plait_ref, plait_value: plait_argument,                    \
        default: plait_pointer_argument)(x)

#define PLAIT_ARGS_1(a) PLAIT_ARGUMENT(a)
#define PLAIT_ARGS_2(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_1(__VA_ARGS__)
#define PLAIT_ARGS_3(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_2(__VA_ARGS__)
#define PLAIT_ARGS_4(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_3(__VA_ARGS__)
#define PLAIT_ARGS_5(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_4(__VA_ARGS__)
#define PLAIT_ARGS_6(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_5(__VA_ARGS__)
#define PLAIT_ARGS_7(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_6(__VA_ARGS__)
#define PLAIT_ARGS_8(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_7(__VA_ARGS__)
#define PLAIT_ARGS_9(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_8(__VA_ARGS__)
#define PLAIT_ARGS_10(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_9(__VA_ARGS__)
#define PLAIT_ARGS_11(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_10(__VA_ARGS__)
#define PLAIT_ARGS_12(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_11(__VA_ARGS__)
#define PLAIT_ARGS_13(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_12(__VA_ARGS__)
#define PLAIT_ARGS_14(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_13(__VA_ARGS__)
#define PLAIT_ARGS_15(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_14(__VA_ARGS__)
#define PLAIT_ARGS_16(a, ...) PLAIT_ARGUMENT(a), PLAIT_ARGS_15(__VA_ARGS__)

#define PLAIT_DELAYED_0(graph, fn) plait_call(graph, fn, #fn, NULL, 0)
#define PLAIT_DELAYED_SOME(n, graph, fn, ...)                                  \
    plait_call(graph, fn, #fn,                                                 \
               (const plait_value[]){ PLAIT_ARGS_##n(__VA_ARGS__) }, n)
#define PLAIT_DELAYED_1(...) PLAIT_DELAYED_SOME(1, __VA_ARGS__)
#define PLAIT_DELAYED_2(...) PLAIT_DELAYED_SOME(2, __VA_ARGS__)
#define PLAIT_DELAYED_3(...) PLAIT_DELAYED_SOME(3, __VA_ARGS__)
#define PLAIT_DELAYED_4(...) PLAIT_DELAYED_SOME(4, __VA_ARGS__)
#define PLAIT_DELAYED_5(...) PLAIT_DELAYED_SOME(5, __VA_ARGS__)
#define PLAIT_DELAYED_6(...) PLAIT_DELAYED_SOME(6, __VA_ARGS__)
#define PLAIT_DELAYED_7(...) PLAIT_DELAYED_SOME(7, __VA_ARGS__)
#define PLAIT_DELAYED_8(...) PLAIT_DELAYED_SOME(8, __VA_ARGS__)
#define PLAIT_DELAYED_9(...) PLAIT_DELAYED_SOME(9, __VA_ARGS__)
#define PLAIT_DELAYED_10(...) PLAIT_DELAYED_SOME(10, __VA_ARGS__)
#define PLAIT_DELAYED_11(...) PLAIT_DELAYED_SOME(11, __VA_ARGS__)
#define PLAIT_DELAYED_12(...) PLAIT_DELAYED_SOME(12, __VA_ARGS__)
#define PLAIT_DELAYED_13(...) PLAIT_DELAYED_SOME(13, __VA_ARGS__)
#define PLAIT_DELAYED_14(...) PLAIT_DELAYED_SOME(14, __VA_ARGS__)
#define PLAIT_DELAYED_15(...) PLAIT_DELAYED_SOME(15, __VA_ARGS__)
#define PLAIT_DELAYED_16(...) PLAIT_DELAYED_SOME(16, __VA_ARGS__)
#define PLAIT_DELAYED_MANY(...)                                                \
    ((plait_task){ sizeof(struct {                                             \
                       _Static_assert(0, "plait_delayed takes up to 16 "       \
                                         "arguments: use plait_call");         \
                       int none;                                               \
                   }), 0 })

/* How many arguments follow the graph and the function. */
#define PLAIT_DELAYED_PICK( \
    a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15,         \
    a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28,          \
    a29, a30, a31, a32, count, ...)                                           \
    count
#define PLAIT_DELAYED_COUNT(...) \
    PLAIT_DELAYED_PICK(__VA_ARGS__, \
        MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY,           \
        MANY, MANY, MANY, MANY, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6,       \
        5, 4, 3, 2, 1, 0, NONE, )                                            
#define PLAIT_DELAYED_CAT_(n) PLAIT_DELAYED_##n
#define PLAIT_DELAYED_CAT(n) PLAIT_DELAYED_CAT_(n)
#define plait_delayed(...)                                                     \
    PLAIT_DELAYED_CAT(PLAIT_DELAYED_COUNT(__VA_ARGS__))(__VA_ARGS__)
/* clang-format on */

#endif

#endif
