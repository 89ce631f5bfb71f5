/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * What a build may choose, and the few compiler words that everything else is written with.
 *
 * Knobs that only change code (a translation unit may choose them for itself):
 *
 *   PAWL_COMPUTED_GOTO       labels-as-values engine instead of switch (GNU compilers). The extension it is built on
 *                            is not ISO C, so defining this silences -Wpedantic in the translation unit.
 *   PAWL_PREFIXED_KEYWORDS   only PAWL_AWAIT, pawl_gen_next …; no short AWAIT, gen_next …
 *   PAWL_DEBUG_SCRUB         every resume first overwrites the dead stack below it, so that a local variable that was
 *                            meant to survive a suspension fails at every optimisation level. It is the driver that does
 *                            it: for tasks, the library is built with -Dscrub=true; in a file of one's own it works for what
 *                            is stepped by hand there
 *   PAWL_RAISE_LOCATION      1: an error remembers the file:line where it was raised (default on hosted builds without
 *                            NDEBUG); 0: no strings in the image
 *   PAWL_DESCENT             how many callees deep an AWAIT may nest on the machine stack before it goes back to the
 *                            driver: a power of two, 1 to 64 (default 64 hosted, 1 freestanding)
 *   PAWL_TRAP(name)          what to do at a resume point that does not exist (default: say so and abort when hosted,
 *                            __builtin_trap when not)
 *
 * Knobs that change a layout (the library and all that use it must agree; they are part of the name of
 * pawl_loop_init, so that a mismatch does not link):
 *
 *   PAWL_TIME_32             pawl_time is 32-bit ticks, wrap-safe, instead of 64-bit nanoseconds
 *   PAWL_TIMER_LIST          timers in one sorted list (a pointer of RAM) instead of a radix heap (7 KiB).
 *                            Implied by PAWL_TIME_32.
 */
#ifndef PAWL_CONFIG_H
#define PAWL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__GNUC__)
#error "pawl needs a compiler with the GNU __typeof__ and __builtin_ words: gcc or clang"
#endif

#if defined(PAWL_TIME_32) && !defined(PAWL_TIMER_LIST)
#define PAWL_TIMER_LIST 1
#endif

#ifndef PAWL_DESCENT
#if __STDC_HOSTED__ || defined(__linux__)
#define PAWL_DESCENT 64
#else
#define PAWL_DESCENT 1
#endif
#endif

#ifndef PAWL_RAISE_LOCATION
#if __STDC_HOSTED__ && !defined(NDEBUG)
#define PAWL_RAISE_LOCATION 1
#else
#define PAWL_RAISE_LOCATION 0
#endif
#endif

/* One loop a thread, so the current one is thread-local; a target without threads has a plain variable.
 * initial-exec: no call into the dynamic linker, and so no symbol of it in the core. */
#ifndef PAWL_THREAD_LOCAL
#if defined(__linux__)
#define PAWL_THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#else
#define PAWL_THREAD_LOCAL
#endif
#endif

#if defined(__cplusplus)
#define PAWL_STATIC_ASSERT(condition, text) static_assert(condition, text)
/* Quiet: a struct and the function that returns it share a name, which C++ calls hiding a constructor. */
#define PAWL_BEGIN_C PAWL_QUIET_SHADOW_ extern "C" {
#define PAWL_END_C } PAWL_LOUD_
#else
#define PAWL_STATIC_ASSERT(condition, text) __extension__ _Static_assert(condition, text)
#define PAWL_BEGIN_C
#define PAWL_END_C
#endif

#define PAWL_INLINE static inline __attribute__((unused))
#define PAWL_API __attribute__((visibility("default")))
#define PAWL_MUST_USE __attribute__((warn_unused_result))
#define PAWL_LIKELY(x) __builtin_expect(!!(x), 1)
#define PAWL_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PAWL_COLD __attribute__((noinline, cold, unused))

/* Pointers to frames and futures carry tags in their two lowest bits, also where the natural alignment is one byte. */
#define PAWL_EVEN __attribute__((aligned(sizeof(void *) > 4 ? sizeof(void *) : 4)))

/* Where a word has 64 bits a loop may keep freed tasks for the next ones; elsewhere RAM is too dear. */
#if UINTPTR_MAX > 0xffffffffu
#define PAWL_SPARES_ 8
#endif

#define PAWL_QUIET_SHADOW_ _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#define PAWL_LOUD_ _Pragma("GCC diagnostic pop")

#define PAWL_CAT_(a, b) a##b
#define PAWL_CAT(a, b) PAWL_CAT_(a, b)
#define PAWL_STRING_(a) #a
#define PAWL_STRING(a) PAWL_STRING_(a)

/* An assertion inside an expression, of value 0; and is it a pointer, is it a struct? Compile time only. */
#if defined(__cplusplus)
template <class T> struct pawl_pointer_ { enum { yes = 0 }; };
template <class T> struct pawl_pointer_<T *> { enum { yes = 1 }; };
#define PAWL_IS_POINTER_(x) (pawl_pointer_<__typeof__(x)>::yes != 0)
#define PAWL_ASSERTED_(condition, text) (0 * (int)sizeof(char[(condition) ? 1 : -1]))
#else
#define PAWL_IS_POINTER_(x) (__builtin_classify_type(x) == 5)
#define PAWL_IS_STRUCT_(x) (__builtin_classify_type(x) == 12)
/* Of an expression that may be a compound literal: as C99, the C library has a _Static_assert of its own that puts the
 * condition into a struct, where clang takes such a literal for a static one. */
#if __STDC_VERSION__ >= 201112L
#define PAWL_ASSERT_CALL_(condition, text) _Static_assert(condition, text)
#else
#define PAWL_ASSERT_CALL_(condition, text) (void)sizeof(char[(condition) ? 1 : -1])
#endif
#if __STDC_VERSION__ >= 201112L
#define PAWL_ASSERTED_(condition, text) (0 * (int)sizeof(struct { _Static_assert(condition, text); char pawl_; }))
#else
#define PAWL_ASSERTED_(condition, text) (0 * (int)sizeof(char[(condition) ? 1 : -1]))
#endif
#endif

/* Is it the same type? A compile-time 0 or 1; neither expression is evaluated. */
#if defined(__cplusplus)
template <class A, class B> struct pawl_same_ { enum { yes = 0 }; };
template <class A> struct pawl_same_<A, A> { enum { yes = 1 }; };
template <class T> using pawl_type_ = T; /* lets `struct name` stand where C++ wants a simple type name */
#define PAWL_SAME_TYPE(a, b) (pawl_same_<__typeof__(a), __typeof__(b)>::yes != 0)
#else
#define PAWL_SAME_TYPE(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))
#endif

/** Time and spans of time: nanoseconds, monotonic, from a zero that the port chooses; with PAWL_TIME_32 ticks of a
 *  length that the port chooses, compared wrap-safe (no two times in use may be further apart than INT32_MAX). */
#ifdef PAWL_TIME_32
typedef int32_t pawl_time;
#define PAWL_FOREVER INT32_MAX
#define PAWL_ABI_TIME_ _time32
#else
typedef int64_t pawl_time;
#define PAWL_FOREVER INT64_MAX
#define PAWL_ABI_TIME_ _time64
#endif
#ifdef PAWL_TIMER_LIST
#define PAWL_ABI_TIMERS_ _list
#else
#define PAWL_ABI_TIMERS_ _radix
#endif
#define PAWL_ABI_NAME_(name) PAWL_CAT(PAWL_CAT(name, PAWL_ABI_TIME_), PAWL_ABI_TIMERS_)

/** Spans in the unit of pawl_time when that is nanoseconds. A fraction is cut off towards zero. */
#define PAWL_NS(n) ((pawl_time)(n))
#define PAWL_US(n) ((pawl_time)((n) * 1000LL))
#define PAWL_MS(n) ((pawl_time)((n) * 1000000LL))
#define PAWL_SEC(n) ((pawl_time)((n) * 1000000000LL))

#endif
