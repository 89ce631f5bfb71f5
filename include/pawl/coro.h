/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Coroutines: the frame, how it is driven, and the keywords that generators and async coroutines share.
 * Header only, freestanding.
 *
 * A coroutine is a plain struct, its frame. The first member of every frame is a struct pawl_coro; behind it stand
 * the arguments, what lives across a suspension, and the frames of the coroutines that it calls. A resume function
 * runs the frame from where it stopped to where it stops next.
 *
 *      driver ──resume──► innermost frame ──┬─ suspends      returns a tag; root->link = that frame
 *        ▲                                  ├─ ends          returns its caller, which runs next
 *        └────────── runs what came back ───┴─ awaits        calls the callee; a callee that ends at once costs a call
 *
 * The driver holds the root, the outermost frame. root->link says where the whole chain stands:
 *
 *      a frame (even)         suspended; that frame is the innermost one and is resumed directly, at any depth
 *      an odd pointer         1: running, fresh or ended. Otherwise, while it runs or after its end: where the last
 *                             error was raised (pawl_coro_where). Stepped by hand and awaiting: the future
 *
 * In a callee, link is its caller plus 2, so that stepping it by itself meanwhile is seen to be a mistake. And so a value
 * yielded a thousand frames deep costs what one costs at depth one.
 *
 * The keywords are macros around one switch (or, with PAWL_COMPUTED_GOTO, around labels as values). With the switch,
 * YIELD(v) becomes
 *
 *      do {
 *          enum { pawl_here_ = __COUNTER__ - pawl_base_ };        a dense number, a compile-time constant
 *          root->value = v;
 *          co->point = pawl_here_; root->link = co; return 1;     suspended
 *      case pawl_here_:                                           resumed: the label stands behind the return
 *          if (error) goto the innermost handler;
 *      } while (0)
 *
 * Hazards, all of them consequences of the one switch around the body:
 *   - A local variable does not survive a suspension: what must live belongs in the frame. PAWL_DEBUG_SCRUB makes a
 *     mistake here loud. (C++ refuses an initialised one at compile time.)
 *   - With the switch engine a suspension inside a `switch` of one's own traps at the resume, with the coroutine's name.
 *   - `break`, `continue`, `goto` and `return` out of a TRY skip its FINALLY; ASYNC_RETURN and GEN_RETURN do not.
 */
#ifndef PAWL_CORO_H
#define PAWL_CORO_H

#include "config.h"
#include "error.h"

#ifdef PAWL_COMPUTED_GOTO
#pragma GCC diagnostic ignored "-Wpedantic"
#endif

#if __STDC_HOSTED__
#include <stdio.h>
#include <stdlib.h>
#endif

PAWL_BEGIN_C

struct pawl_coro;

/** A resume function: runs `co` from its resume point on. `root` is the outermost frame of the chain; `error` is what
 *  the suspension point raises, 0 when it went well. Returns the frame to run next, or an odd pointer when nothing of
 *  this chain can run now. Written by GEN/ASYNC; by hand only for leaf operations (see pawl_leaf_* below). */
typedef struct pawl_coro *pawl_resume_fn(struct pawl_coro *co, struct pawl_coro *root, int error);

/** The header of every frame. */
struct pawl_coro {
    pawl_resume_fn *resume;
    struct pawl_coro *link; /* root: the innermost frame, or odd; callee: its caller, plus 2 */
    int16_t errors[2];      /* ended: [0] is the outcome; before: what each level of handlers is handling */
    uint16_t point;         /* where to go on */
    uint8_t state;          /* PAWL_CORO_ … */
    uint8_t depth;          /* how deep below the root, modulo 256 */
} PAWL_EVEN;

PAWL_STATIC_ASSERT(sizeof(struct pawl_coro) <= 2 * sizeof(void *) + 8, "a frame header is 24 bytes on LP64, 16 on ILP32");

enum {
    PAWL_CORO_FRESH = 0,
    PAWL_CORO_STARTED = 1,
    PAWL_CORO_DONE = 3,    /* DONE_BIT says it; STARTED stays */
    PAWL_CORO_DONE_BIT = 2,
    PAWL_CORO_PHASE = 3,   /* mask of the three above */
    PAWL_CORO_TASK = 4,     /* root only: a task stands right before this frame and drives it */
    PAWL_CORO_GENERATOR = 8, /* root only: a generator that a consumer steps, with a place for values */
    PAWL_CORO_BY_HAND = 16, /* root only: stepped by hand and awaiting; link is that future, and knows the frame */
    PAWL_POINT_FINISH = 0xffff,
    PAWL_POINT_NAME = 0xfffe, /* not a resume: return the coroutine's name */
    PAWL_POINT_EXIT = 0xfffd, /* a scope: its WITH is being left */
    PAWL_HANDLER_LEVELS = 2,  /* sizeof errors / sizeof errors[0] */
    PAWL_RETURNING_ = 1,      /* stands for an error while a return is on its way through FINALLYs */
    PAWL_GOES_ON_ = 2         /* never an outcome */
};

#define PAWL_ODD_ ((struct pawl_coro *)(uintptr_t)1)

PAWL_INLINE bool pawl_is_odd_(const void *p)
{
    return ((uintptr_t)p & 1) != 0;
}

/* Is it the innermost frame of a suspended chain (and no tag, no caller, not NULL)? */
PAWL_INLINE bool pawl_is_frame_(const struct pawl_coro *link)
{
    return ((uintptr_t)link & 3) == 0 && link != NULL;
}

/* ---- Traps and scrubbing ------------------------------------------------------------------------------------- */

/* A resume point that does not exist: the coroutine cannot go on, and silence would be worse. */
#ifndef PAWL_TRAP
#define PAWL_TRAP(name) pawl_trap_(name)
PAWL_COLD static void pawl_trap_(const char *name)
{
#if __STDC_HOSTED__
    fprintf(stderr, "pawl: coroutine '%s' was resumed at a point that it does not have (a suspension inside a switch?)\n", name);
    abort();
#else
    __asm__ volatile("" : : "r"(name)); /* for the debugger */
    __builtin_trap();
#endif
}
#endif

/* A resume function came back with NULL: somebody wrote `return 0` where ASYNC_RETURN belongs. */
#if __STDC_HOSTED__
PAWL_COLD static void pawl_trap_return_(const char *name)
{
    fprintf(stderr, "pawl: coroutine '%s', or one that it awaits, was left by a plain return: use ASYNC_RETURN or GEN_RETURN\n", name);
    abort();
}
#define PAWL_TRAP_RETURN_(name) pawl_trap_return_(name)
#else
#define PAWL_TRAP_RETURN_(name) PAWL_TRAP(name)
#endif

/* With labels as values: more code in one coroutine than a point can tell. */
#if __STDC_HOSTED__
PAWL_COLD static void pawl_trap_too_far_(const char *name)
{
    fprintf(stderr, "pawl: coroutine '%s' is larger than 48 KiB of code: use the switch engine for it, or divide it\n", name);
    abort();
}
#define PAWL_TRAP_TOO_FAR_(name) pawl_trap_too_far_(name)
#else
#define PAWL_TRAP_TOO_FAR_(name) PAWL_TRAP(name)
#endif

#ifdef PAWL_DEBUG_SCRUB
/* Overwrites what the last resume left on the stack. */
PAWL_COLD static __attribute__((no_sanitize("address"))) void pawl_scrub_(void)
{
    volatile unsigned char dead[4096];
    for (size_t i = 0; i < sizeof dead; i++) dead[i] = 0xA5;
    __asm__ volatile("" : : "r"(dead) : "memory");
}
#else
PAWL_INLINE void pawl_scrub_(void) {}
#endif

PAWL_INLINE const char *pawl_coro_name(struct pawl_coro *co);

/* ---- Driving a chain of frames ------------------------------------------------------------------------------- */

/* Runs `co` and what comes back from it until nothing of the chain can run; returns that odd pointer. A frame that
 * came back because its callee ended is told the callee's outcome. */
PAWL_INLINE struct pawl_coro *pawl_drive_(struct pawl_coro *co, struct pawl_coro *root, int error)
{
    for (;;) {
        struct pawl_coro *next = co->resume(co, root, error);
        if (PAWL_LIKELY(pawl_is_odd_(next))) return next;
        if (PAWL_UNLIKELY(next == NULL)) PAWL_TRAP_RETURN_(pawl_coro_name(co));
        error = co->state & PAWL_CORO_DONE_BIT ? co->errors[0] : 0;
        co = next;
    }
}

/* The end of a frame: who runs next is its caller. The root's link is odd while it runs, and so ends the drive. */
PAWL_INLINE struct pawl_coro *pawl_coro_finish_(struct pawl_coro *co, int error)
{
    co->state |= PAWL_CORO_DONE;
    co->errors[0] = (int16_t)(error < 0 ? error : 0);
    return (struct pawl_coro *)((uintptr_t)co->link & ~(uintptr_t)2);
}

PAWL_INLINE unsigned pawl_phase_(const struct pawl_coro *co)
{
    return co->state & PAWL_CORO_PHASE;
}

/* Fresh, running, ended or a zeroed struct: all that is not simply suspended; a fresh one is a generator's. Returns whether it is suspended then. */
PAWL_COLD static bool pawl_enter_(struct pawl_coro *root, int error)
{
    if (pawl_phase_(root) != PAWL_CORO_FRESH || root->resume == NULL) {
        if (pawl_phase_(root) != PAWL_CORO_STARTED) { /* running: its state is not ours to touch */
            root->state = PAWL_CORO_DONE;
            root->errors[0] = root->resume ? PAWL_EENDED : PAWL_EINVAL;
            root->link = PAWL_ODD_;
        }
        return false;
    }
    root->link = PAWL_ODD_;
    if (error != 0) { /* thrown into one that never ran: its body, and so its handlers, are not entered */
        pawl_coro_finish_(root, error);
        return false;
    }
    root->state |= PAWL_CORO_STARTED | PAWL_CORO_GENERATOR;
    root->errors[0] = 0;
    pawl_drive_(root, root, 0);
    return pawl_is_frame_(root->link);
}

/* Resumes the innermost frame; returns whether the chain is suspended again (and not ended). */
PAWL_INLINE bool pawl_resume_(struct pawl_coro *root, int error)
{
    struct pawl_coro *const co = root->link;
    pawl_scrub_();
    if (PAWL_UNLIKELY(!pawl_is_frame_(co))) return pawl_enter_(root, error);
    root->link = PAWL_ODD_;
    pawl_drive_(co, root, error);
    return PAWL_LIKELY(!pawl_is_odd_(root->link));
}

/* What a suspended, fresh or ended one tells of itself. */
PAWL_INLINE int pawl_coro_error_(const struct pawl_coro *root)
{
    if (pawl_phase_(root) != PAWL_CORO_STARTED) return root->errors[0];
    return pawl_is_frame_(root->link) || (root->state & PAWL_CORO_BY_HAND) ? 0 : PAWL_ERUNNING;
}

/* Throws PAWL_EEXIT into the innermost frame. A frame whose callee was closed so is closed in its turn, also when the
 * callee swallowed it and ended well; what a frame calls while it cleans up is none of these. To suspend is an error; *what is how it came back then. */
PAWL_COLD static int pawl_close_(struct pawl_coro *root, struct pawl_coro **what)
{
    if (root->resume == NULL || pawl_phase_(root) == PAWL_CORO_DONE) return 0;
    if (pawl_phase_(root) == PAWL_CORO_FRESH) {
        pawl_enter_(root, PAWL_EEXIT);
    } else {
        struct pawl_coro *closed = root->link, *co = closed;
        if (!pawl_is_frame_(co)) return PAWL_ERUNNING;
        root->link = PAWL_ODD_;
        for (int error = PAWL_EEXIT; !pawl_is_odd_(co);) {
            struct pawl_coro *const next = co->resume(co, root, error);
            if (next == NULL) PAWL_TRAP_RETURN_(pawl_coro_name(co));
            error = co->state & PAWL_CORO_DONE_BIT ? co->errors[0] : 0;
            if (co == closed && (co->state & PAWL_CORO_DONE_BIT)) {
                closed = next;
                if (error == 0) error = PAWL_EEXIT;
            }
            co = next;
        }
        *what = co;
        if (pawl_is_frame_(root->link)) return PAWL_EYIELDED;
    }
    if (root->errors[0] == PAWL_EEXIT) root->errors[0] = 0;
    return root->errors[0];
}

/** The coroutine's name: a static string. For any frame, running or not. */
PAWL_INLINE const char *pawl_coro_name(struct pawl_coro *co)
{
    const uint16_t point = co->point;
    if (co->resume == NULL) return "?";
    co->point = PAWL_POINT_NAME;
    const char *const name = (const char *)(uintptr_t)co->resume(co, co, 0);
    co->point = point;
    return name;
}

/* The text behind a link that remembers a place. */
PAWL_INLINE const char *pawl_where_text_(const struct pawl_coro *link)
{
    if (!pawl_is_odd_(link) || link == PAWL_ODD_) return NULL;
    const char *const text = (const char *)(uintptr_t)link;
    return *text == ' ' ? text + 1 : text;
}

/** Where the error that ended `root` was raised, "file:line", or NULL when that is not known (PAWL_RAISE_LOCATION is
 *  off, or a FINALLY suspended in between). A static string. */
PAWL_INLINE const char *pawl_coro_where(const struct pawl_coro *root)
{
    return pawl_phase_(root) == PAWL_CORO_DONE && root->errors[0] != 0 ? pawl_where_text_(root->link) : NULL;
}

/* "file:line" with a space before it, so that the pointer may be made odd by stepping over the space. */
#if PAWL_RAISE_LOCATION
#define PAWL_WHERE_ " " __FILE__ ":" PAWL_STRING(__LINE__)
PAWL_INLINE void pawl_raised_at_(struct pawl_coro *root, const char *where, bool anew)
{
    if (anew || root->link == PAWL_ODD_) root->link = (struct pawl_coro *)((uintptr_t)where | 1);
}
PAWL_INLINE void pawl_dealt_with_(struct pawl_coro *root)
{
    root->link = PAWL_ODD_;
}
#else
#define PAWL_WHERE_ ""
PAWL_INLINE void pawl_raised_at_(struct pawl_coro *root, const char *where, bool anew)
{
    (void)root, (void)where, (void)anew;
}
PAWL_INLINE void pawl_dealt_with_(struct pawl_coro *root)
{
    (void)root;
}
#endif

/* ---- For leaf operations, whose resume function is written by hand --------------------------------------------- */

/** `return pawl_leaf_done(co, error)`: the operation has ended, with 0 or an error; its results are in its frame. */
PAWL_INLINE struct pawl_coro *pawl_leaf_done(struct pawl_coro *co, int error)
{
    return pawl_coro_finish_(co, error);
}

/** `return pawl_leaf_suspend(co, root)`: wait. co->point must not be 0 then: that says "not begun". Whoever drives the chain has been told by other means when to resume;
 *  a task that nobody was told of runs again in the next iteration. */
PAWL_INLINE struct pawl_coro *pawl_leaf_suspend(struct pawl_coro *co, struct pawl_coro *root)
{
    root->link = co;
    return PAWL_ODD_;
}

/** PAWL_LEAF(name) { PAWL_LEAF_BEGIN(name); … }: the resume function `name_resume` of a leaf. Its parameters are co, root
 *  and error. The begin answers the question for its name, and must be its first statement. */
#define PAWL_LEAF(name) struct pawl_coro *name##_resume(struct pawl_coro *co, struct pawl_coro *root, int error)
#define PAWL_LEAF_BEGIN(name) \
    if (co->point == PAWL_POINT_NAME) return (struct pawl_coro *)(uintptr_t)#name

/** The header of a frame that `resume_function` runs, for a function that returns a frame. */
#if defined(__cplusplus)
#define PAWL_CORO_INIT(resume_function) pawl_coro_init_(resume_function)
#else
#define PAWL_CORO_INIT(resume_function) { .resume = (resume_function), .link = PAWL_ODD_ }
#endif
PAWL_INLINE struct pawl_coro pawl_coro_init_(pawl_resume_fn *resume)
{
    struct pawl_coro co = {0, 0, {0, 0}, 0, 0, 0};
    co.resume = resume;
    co.link = PAWL_ODD_;
    return co;
}

/* Prepares a fresh callee; true when it may be called. False: it was awaited before, or is no coroutine. */
PAWL_INLINE bool pawl_callee_ready_(struct pawl_coro *caller, struct pawl_coro *callee)
{
    if (PAWL_UNLIKELY(callee == NULL || callee->state != PAWL_CORO_FRESH || callee->resume == NULL)) return false;
    callee->state = PAWL_CORO_STARTED;
    callee->link = (struct pawl_coro *)((uintptr_t)caller | 2);
    callee->depth = (uint8_t)(caller->depth + 1u);
    return true;
}

/* The first descent: a plain call, except at every PAWL_DESCENT-th level, where the driver makes it so that the
 * machine stack stays bounded. Returns `caller` when the callee has ended. */
PAWL_INLINE struct pawl_coro *pawl_descend_(struct pawl_coro *root, struct pawl_coro *callee)
{
    if (PAWL_UNLIKELY((callee->depth & (PAWL_DESCENT - 1)) == 0)) return callee;
    return callee->resume(callee, root, 0);
}

/* What awaiting one that is not ready raises. */
PAWL_INLINE int pawl_callee_error_(const struct pawl_coro *callee)
{
    return callee == NULL || callee->resume == NULL ? PAWL_EINVAL : PAWL_EAWAITED;
}

/* A member of *p by its offset; NULL stays NULL. */
PAWL_INLINE void *pawl_member_(const void *p, size_t offset)
{
    return p ? (void *)((uintptr_t)p + offset) : NULL;
}
#define PAWL_AWAITABLE_(p) pawl_member_((p), offsetof(__typeof__(*(p)), awaitable))

PAWL_END_C

/* ---- Resume points: the two engines ---------------------------------------------------------------------------- */

/* Outside of a coroutine these stand for what BEGIN declares, so that a misplaced keyword has one thing to say. */
enum { pawl_inside_ = 0, pawl_base_ = 0, pawl_handler_ = PAWL_POINT_FINISH, pawl_level_ = 0, pawl_caught_ = -1, pawl_yields_ = 0 };
extern struct pawl_coro *pawl_co_, *pawl_root_;
extern int pawl_err_;
#define PAWL_INSIDE_(keyword) PAWL_STATIC_ASSERT(pawl_inside_, keyword " outside of a coroutine: it belongs between BEGIN and END")

#if defined(__COUNTER__) || defined(__GNUC__)
#define PAWL_NUMBER_ __COUNTER__
#else
#define PAWL_NUMBER_ __LINE__
#endif

#ifndef PAWL_COMPUTED_GOTO

#define PAWL_LABELS_ 0
#define PAWL_POINT_DECL_(here) enum { here = (int)PAWL_NUMBER_ - (int)pawl_base_ }
/* Points begin far away, so that the numbers of a switch of the user's around a keyword do not meet them. */
#define PAWL_FIRST_POINT_ 0x5a5a0000L
#define PAWL_POINT_(here) case PAWL_FIRST_POINT_ + (here):
#define PAWL_STOP_AT_(here) pawl_co_->point = (uint16_t)(here)
#define PAWL_GO_(here) do { pawl_co_->point = (uint16_t)(here); goto pawl_dispatch_; } while (0)
#define PAWL_UNWIND_() PAWL_GO_(pawl_handler_)
#define PAWL_SCOPED_POINT_(here) PAWL_QUIET_SHADOW_ PAWL_POINT_DECL_(here); PAWL_LOUD_
/* In the block that follows errors go to `target`. */
#define PAWL_HANDLER_LABEL_
#define PAWL_HANDLER_(target) enum { pawl_handler_ = (int)(target) };
#define PAWL_HANDLER_JUMP_(target)

#define PAWL_DISPATCH_ \
    if (0) goto pawl_dispatch_; \
    pawl_dispatch_: \
    switch (PAWL_FIRST_POINT_ + pawl_co_->point) { \
    case PAWL_FIRST_POINT_:
/* The two points of every coroutine are told apart here, so that the switch has only the dense ones. */
#define PAWL_FINISH_ \
    pawl_ended_: __attribute__((unused)); \
        return pawl_coro_finish_(pawl_co_, 0); \
    default: \
        if (pawl_co_->point == PAWL_POINT_NAME) return (struct pawl_coro *)(uintptr_t)pawl_name_; \
        if (pawl_co_->point != PAWL_POINT_FINISH) PAWL_TRAP(pawl_name_); \
    } \
    PAWL_STATIC_ASSERT(PAWL_NUMBER_ - (int)pawl_base_ < PAWL_POINT_EXIT, "too many suspension points in one coroutine")

#define PAWL_RESUME_ATTRIBUTE_

#else

#define PAWL_LABELS_ 1
#define PAWL_POINT_DECL_(here) __label__ here
#define PAWL_SCOPED_POINT_(here) __label__ here;
#define PAWL_POINT_(here) here: __attribute__((unused));
/* A point is a distance in code, a little backwards or far forwards; one too far for 16 bits traps when it is taken, and
 * not when it is resumed. */
#define PAWL_BACKWARDS_ 0x4000
#define PAWL_STOP_AT_(here) \
    pawl_co_->point = pawl_distance_((const char *)&&here - (const char *)&&pawl_dispatch_, pawl_name_)
PAWL_INLINE uint16_t pawl_distance_(ptrdiff_t distance, const char *name)
{
    if (PAWL_UNLIKELY(distance <= -PAWL_BACKWARDS_ || distance >= PAWL_POINT_EXIT - PAWL_BACKWARDS_)) PAWL_TRAP_TOO_FAR_(name);
    return (uint16_t)(distance + PAWL_BACKWARDS_);
}
#define PAWL_GO_(here) goto here
#define PAWL_UNWIND_() goto pawl_handler_
#define PAWL_HANDLER_LABEL_ __label__ pawl_handler_;
#define PAWL_HANDLER_(target)
#define PAWL_HANDLER_JUMP_(target) if (0) { pawl_handler_: __attribute__((unused)); goto target; }

#define PAWL_DISPATCH_ \
    if (pawl_co_->point != 0) { \
        if (pawl_co_->point == PAWL_POINT_NAME) return (struct pawl_coro *)(uintptr_t)pawl_name_; \
        goto *(void *)((char *)&&pawl_dispatch_ + ((ptrdiff_t)pawl_co_->point - PAWL_BACKWARDS_)); \
    } \
    pawl_dispatch_: __attribute__((unused)); \
    {
#define PAWL_FINISH_ \
    } \
    pawl_ended_: __attribute__((unused)); \
    return pawl_coro_finish_(pawl_co_, 0); \
    pawl_handler_: __attribute__((unused));

/* The distances must be the same in every copy of the function, so there is one. */
#if defined(__clang__)
#define PAWL_RESUME_ATTRIBUTE_ __attribute__((noinline))
#else
/* and in one piece: gcc would put what is seldom run far away. */
#define PAWL_RESUME_ATTRIBUTE_ __attribute__((noinline, noclone, optimize("no-reorder-blocks-and-partition")))
#endif

#endif

/* ---- The body of a coroutine ----------------------------------------------------------------------------------- */

#define PAWL_RESUME_(name) PAWL_RESUME_ATTRIBUTE_ \
    struct pawl_coro *name##_resume(struct pawl_coro *pawl_body_of_##name, struct pawl_coro *pawl_root_, int pawl_err_)

/* The parameters hide the file-scope names above, on purpose; BEGIN makes the compiler loud again (gcc takes no pragma
 * between a function's head and its body). */
#define PAWL_DEFINE_(linkage, name) PAWL_QUIET_SHADOW_ linkage PAWL_RESUME_(name)

#define PAWL_BODY_BEGIN_(name) \
    struct pawl_coro *const pawl_co_ = pawl_body_of_##name; /* fails when the body begins with another name */ \
    struct name *const self = (struct name *)(void *)pawl_co_; \
    enum { pawl_base_ = PAWL_NUMBER_, pawl_handler_ = PAWL_POINT_FINISH, pawl_level_ = 0, pawl_caught_ = -1, pawl_inside_ = 1 }; \
    static const char pawl_name_[] = #name; \
    PAWL_LOUD_ \
    PAWL_STATIC_ASSERT(offsetof(struct name, awaitable) == 0, #name ": GENERATOR or COROUTINE comes first in the struct"); \
    (void)self, (void)pawl_root_, (void)pawl_name_; \
    PAWL_DISPATCH_

#define PAWL_BODY_END_ \
    PAWL_FINISH_; \
    return pawl_coro_finish_(pawl_co_, pawl_err_)

/* Goes to the innermost handler with the error that a suspension point met. */
#define PAWL_FAIL_() do { pawl_raised_at_(pawl_root_, PAWL_WHERE_, false); PAWL_UNWIND_(); } while (0)

/* Calls a callee in `slot_pointer` (its header) and goes on when it has ended; leaves its outcome in pawl_err_. */
#define PAWL_CALL_(here, header) \
    struct pawl_coro *const pawl_callee_ = (header); \
    if (pawl_callee_ready_(pawl_co_, pawl_callee_)) { \
        PAWL_STOP_AT_(here); \
        struct pawl_coro *const pawl_next_ = pawl_descend_(pawl_root_, pawl_callee_); \
        if (pawl_next_ != pawl_co_) return pawl_next_; \
        pawl_err_ = pawl_callee_->errors[0]; \
    } else { \
        pawl_err_ = pawl_callee_error_(pawl_callee_); \
    }

/** CORO(name, .field = value, …): a frame of the coroutine `name`, by value. Nothing runs. Dropping it is a
 *  compile-time warning. */
#if defined(__cplusplus)
#define PAWL_CORO(...) PAWL_CORO_(__VA_ARGS__, )
#define PAWL_CORO_(name, ...) \
    ([&]() __attribute__((warn_unused_result)) { \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"") \
        return pawl_type_<struct name>{ .awaitable = pawl_coro_init_(name##_resume), __VA_ARGS__ }; \
        _Pragma("GCC diagnostic pop") \
    }())
#else
#define PAWL_CORO(...) PAWL_CORO_(__VA_ARGS__, )
/* Said through an argument: clang does not warn of what a macro's own text drops. */
#define PAWL_SAID_(...) __VA_ARGS__
#define PAWL_CORO_(name, ...) PAWL_SAID_(((struct name){ .awaitable = PAWL_CORO_INIT(name##_resume), __VA_ARGS__ }))
#endif

/* ---- RAISE, TRY, CATCH, FINALLY -------------------------------------------------------------------------------- */
/*
 * Which handler is the innermost is known at compile time: TRY opens a block in which pawl_handler_ means this TRY.
 * With the switch engine
 *
 *      TRY { A } CATCH(-EIO) { B } FINALLY { C } END_TRY;
 *
 * becomes
 *
 *      { enum { try_ = 1, finally_ = 2, slot_ = level_ };
 *        error = 0;
 *        if (0) { case try_: ; }                                    A failed: here, with the error
 *        if (error == 0) { enum { handler_ = try_ };        { A }   errors[slot_] = 0; }
 *        else if (error == -EIO) { enum { handler_ = finally_, level_ = slot_ + 1 };
 *            errors[slot_] = error;                         { B }   errors[slot_] = 0; }
 *        else errors[slot_] = error;                                nobody caught it
 *        if (0) { case finally_: errors[slot_] = error; }           B failed: here
 *        { enum { level_ = slot_ + 1 };                     { C } }
 *        if (errors[slot_]) { error = errors[slot_]; goto the outer handler; }
 *      }
 *
 * A return on its way out is the positive "error" PAWL_RETURNING_, which no CATCH takes. While a handler runs, what it
 * handles is kept in the header: errors[0], and errors[1] for a TRY inside a handler. One more level (a TRY inside a
 * handler inside a handler) does not compile: put it into a coroutine of its own.
 */
#define PAWL_SETTLE_() do { \
    if (pawl_clear_) pawl_co_->errors[(int)pawl_slot_ % (int)PAWL_HANDLER_LEVELS] = 0; \
    if (pawl_catching_) pawl_dealt_with_(pawl_root_); \
} while (0)
#define PAWL_KEEP_() (pawl_co_->errors[(int)pawl_slot_ % (int)PAWL_HANDLER_LEVELS] = (int16_t)pawl_err_)

#define PAWL_TRY \
    { \
        PAWL_SCOPED_POINT_(pawl_try_) \
        PAWL_SCOPED_POINT_(pawl_finally_) \
        PAWL_QUIET_SHADOW_ \
        enum { pawl_slot_ = (int)pawl_level_, pawl_clear_ = 1, pawl_catching_ = 0 }; \
        PAWL_LOUD_ \
        PAWL_INSIDE_("TRY"); \
        PAWL_STATIC_ASSERT((int)pawl_level_ < (int)PAWL_HANDLER_LEVELS, "TRY inside a handler inside a handler: put it into a coroutine of its own"); \
        { \
            pawl_err_ = 0; \
            if (0) { PAWL_POINT_(pawl_try_); } \
            if (pawl_err_ == 0) { \
                PAWL_HANDLER_LABEL_ \
                PAWL_QUIET_SHADOW_ PAWL_HANDLER_(pawl_try_) PAWL_LOUD_ \
                PAWL_HANDLER_JUMP_(pawl_try_)

#define PAWL_CATCH_IF_(condition) \
                PAWL_STATIC_ASSERT(pawl_clear_, "CATCH after FINALLY: it comes before"); \
                PAWL_SETTLE_(); \
            } else if (condition) { \
                PAWL_HANDLER_LABEL_ \
                PAWL_QUIET_SHADOW_ PAWL_HANDLER_(pawl_finally_) \
                enum { pawl_level_ = (int)pawl_slot_ + 1, pawl_caught_ = (int)pawl_slot_, pawl_catching_ = 1 }; PAWL_LOUD_ \
                PAWL_HANDLER_JUMP_(pawl_finally_) \
                PAWL_KEEP_();

#define PAWL_CATCH(code) PAWL_CATCH_IF_(pawl_err_ < 0 && pawl_err_ == (code))
#define PAWL_CATCH_ERROR PAWL_CATCH_IF_(pawl_err_ < 0 && pawl_err_ != PAWL_ECANCELLED && pawl_err_ != PAWL_EEXIT)
#define PAWL_CATCH_ALL PAWL_CATCH_IF_(pawl_err_ < 0)

#define PAWL_FINALLY \
                PAWL_SETTLE_(); \
            } else { \
                PAWL_KEEP_(); \
            } \
        } \
        if (0) { PAWL_POINT_(pawl_finally_) PAWL_KEEP_(); } \
        { \
            PAWL_SCOPED_POINT_(pawl_finally_) \
            PAWL_QUIET_SHADOW_ \
            enum { pawl_level_ = (int)pawl_slot_ + 1, pawl_clear_ = 0 }; \
            PAWL_LOUD_ \
            if (1) {

#define PAWL_END_TRY \
                PAWL_SETTLE_(); \
            } else { \
                PAWL_KEEP_(); \
            } \
            if (0) { PAWL_POINT_(pawl_finally_) PAWL_KEEP_(); } \
        } \
        if (pawl_co_->errors[(int)pawl_slot_ % (int)PAWL_HANDLER_LEVELS] != 0) { \
            pawl_err_ = pawl_co_->errors[(int)pawl_slot_ % (int)PAWL_HANDLER_LEVELS]; \
            PAWL_UNWIND_(); \
        } \
    } do {} while (0)

/* A constant that forgot its minus. */
#if defined(__cplusplus)
#define PAWL_NEGATIVE_(error) (void)0
#else
#define PAWL_NEGATIVE_(error) \
    PAWL_STATIC_ASSERT(__builtin_choose_expr(__builtin_constant_p(error), (error), -1) < 0, "an error is negative: RAISE(-E...)")
#endif

/** RAISE(error): goes to the innermost handler of this coroutine; without one the coroutine ends with the error. */
#define PAWL_RAISE(error) do { \
    PAWL_INSIDE_("RAISE"); \
    PAWL_NEGATIVE_(error); \
    pawl_err_ = pawl_error_checked_(error); \
    pawl_raised_at_(pawl_root_, PAWL_WHERE_, true); \
    PAWL_UNWIND_(); \
} while (0)

/** CAUGHT(): the error that the innermost CATCH around this place handles. Survives suspensions. */
#define PAWL_CAUGHT() \
    ((int)pawl_co_->errors[(int)pawl_caught_ % (int)PAWL_HANDLER_LEVELS + PAWL_ASSERTED_((int)pawl_caught_ >= 0, "CAUGHT and RERAISE belong into a CATCH")])

/** CAUGHT_WHERE(): where the error that the innermost CATCH handles was raised, "file:line", or NULL when that is not known
 *  (PAWL_RAISE_LOCATION is off). Until the handler's first suspension. A static string. */
#define PAWL_CAUGHT_WHERE() (PAWL_CAUGHT() < 0 ? pawl_where_text_(pawl_root_->link) : NULL)

/** RERAISE: raises what is being handled once more, to the next handler out. */
#define PAWL_RERAISE() do { \
    PAWL_INSIDE_("RERAISE"); \
    pawl_err_ = PAWL_CAUGHT(); \
    PAWL_UNWIND_(); \
} while (0)

/* Leaves the coroutine through every FINALLY around this place. The switch engine knows when there is none. */
#define PAWL_LEAVE_() do { \
    if (!PAWL_LABELS_ && (int)pawl_handler_ == (int)PAWL_POINT_FINISH) goto pawl_ended_; \
    pawl_err_ = PAWL_RETURNING_; \
    PAWL_UNWIND_(); \
} while (0)

/* RETURN() and RETURN(value): is there an argument? */
#define PAWL_NTH17_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, ...) q
#define PAWL_HAS_COMMA_(...) PAWL_NTH17_(__VA_ARGS__, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, )
#define PAWL_COMMA_(...) ,
#define PAWL_EMPTY_CASE_0001 ,
#define PAWL_GLUE5_(a, b, c, d, e) a##b##c##d##e
#define PAWL_IS_EMPTY_4_(a, b, c, d) PAWL_HAS_COMMA_(PAWL_GLUE5_(PAWL_EMPTY_CASE_, a, b, c, d))
#define PAWL_IS_EMPTY_(...) \
    PAWL_IS_EMPTY_4_(PAWL_HAS_COMMA_(__VA_ARGS__), PAWL_HAS_COMMA_(PAWL_COMMA_ __VA_ARGS__), \
                     PAWL_HAS_COMMA_(__VA_ARGS__()), PAWL_HAS_COMMA_(PAWL_COMMA_ __VA_ARGS__()))
#define PAWL_SET_RESULT_1(...) (void)0
#define PAWL_SET_RESULT_0(...) self->result = (__VA_ARGS__)
#define PAWL_RETURN_(...) do { \
    PAWL_INSIDE_("RETURN"); \
    PAWL_CAT(PAWL_SET_RESULT_, PAWL_IS_EMPTY_(__VA_ARGS__))(__VA_ARGS__); \
    PAWL_LEAVE_(); \
} while (0)

/* How many arguments, 1 to 3. */
#define PAWL_NTH4_(a, b, c, d, ...) d
#define PAWL_COUNT_(...) PAWL_NTH4_(__VA_ARGS__, 3, 2, 1, )

/* A member `result` of type T; of no size when T is void. */
#define PAWL_VOID_void() ~, VOID
#define PAWL_SECOND_(a, b, ...) b
#define PAWL_SECOND_OF_(...) PAWL_SECOND_(__VA_ARGS__, TYPE, )
#define PAWL_MEMBER_TYPE(T, member) T member
#if defined(__cplusplus)
struct pawl_none_sent_ {};
struct pawl_none_result_ {};
struct pawl_none_scope_ {};
struct pawl_none_by_name_only_ {};
#define PAWL_NOTHING_(member) [[no_unique_address]] pawl_none_##member##_ member
#define PAWL_SIZE_(object) (__is_empty(__typeof__(object)) ? 0 : sizeof(object))
#else
#define PAWL_NOTHING_(member) __extension__ char member[0]
#define PAWL_SIZE_(object) sizeof(object)
#endif
#define PAWL_MEMBER_VOID(T, member) PAWL_NOTHING_(member)
#define PAWL_MAYBE_VOID_(T, member) PAWL_CAT(PAWL_MEMBER_, PAWL_SECOND_OF_(PAWL_VOID_##T ()))(T, member)

#ifndef PAWL_PREFIXED_KEYWORDS
#define CORO(...) PAWL_CORO(__VA_ARGS__)
#define TRY PAWL_TRY
#define CATCH(code) PAWL_CATCH(code)
#define CATCH_ERROR PAWL_CATCH_ERROR
#define CATCH_ALL PAWL_CATCH_ALL
#define FINALLY PAWL_FINALLY
#define END_TRY PAWL_END_TRY
#define RAISE(error) PAWL_RAISE(error)
#define RERAISE() PAWL_RERAISE()
#define CAUGHT() PAWL_CAUGHT()
#define CAUGHT_WHERE() PAWL_CAUGHT_WHERE()
#endif

#endif
