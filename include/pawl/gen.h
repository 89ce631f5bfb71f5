/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Generators: coroutines that yield values to whoever steps them. Header only, freestanding. The model is Python's
 * (PEP 255, PEP 342, PEP 380).
 *
 *      struct count { GENERATOR(int); int from, to; };
 *
 *      GEN(count)
 *      {
 *          GEN_BEGIN(count);
 *          while (self->from < self->to) YIELD(self->from++);
 *          GEN_END;
 *      }
 *
 *      struct count numbers = CORO(count, .from = 1, .to = 4);
 *      GEN_FOREACH(n, &numbers) printf("%d\n", n);
 *
 * A value goes straight into the root's frame, however deep it is yielded, and a sent value is read from there: all
 * generators of one chain have the same value type, which the compiler checks, and so the same layout up to `sent`.
 */
#ifndef PAWL_GEN_H
#define PAWL_GEN_H

#include "coro.h"

PAWL_BEGIN_C

/* Sets the sent value and resumes. `size` 0: this generator is not sent anything. */
PAWL_INLINE bool pawl_gen_send_(struct pawl_coro *root, size_t offset, const void *sent, size_t size)
{
    if (sent == NULL) { /* next */
        if (size != 0 && PAWL_LIKELY(pawl_is_frame_(root->link))) __builtin_memset((char *)root + offset, 0, size);
        return pawl_resume_(root, 0);
    }
    if (pawl_phase_(root) == PAWL_CORO_FRESH && root->resume != NULL) {
        root->errors[0] = PAWL_EFRESH;
        return false;
    }
    if (pawl_is_frame_(root->link)) __builtin_memcpy((char *)root + offset, sent, size);
    return pawl_resume_(root, 0);
}

PAWL_INLINE bool pawl_gen_throw_(struct pawl_coro *root, int error)
{
    return pawl_resume_(root, pawl_error_checked_(error));
}

PAWL_INLINE int pawl_gen_close_(struct pawl_coro *root)
{
    struct pawl_coro *what;
    return pawl_close_(root, &what);
}

PAWL_END_C

/** GENERATOR(T), GENERATOR(T, S), GENERATOR(T, S, R): the first member of a generator's struct. It yields T (`value`),
 *  is sent S and returns R (`result`). T and S are object types, R may be void. */
#define PAWL_GENERATOR(...) PAWL_CAT(PAWL_GENERATOR_, PAWL_COUNT_(__VA_ARGS__))(__VA_ARGS__)
#define PAWL_GENERATOR_1(T) struct pawl_coro awaitable; T value; PAWL_NOTHING_(sent); PAWL_NOTHING_(result)
#define PAWL_GENERATOR_2(T, S) struct pawl_coro awaitable; T value; PAWL_MAYBE_VOID_(S, sent); PAWL_NOTHING_(result)
#define PAWL_GENERATOR_3(T, S, R) struct pawl_coro awaitable; T value; PAWL_MAYBE_VOID_(S, sent); PAWL_MAYBE_VOID_(R, result)

/** GEN(name) { GEN_BEGIN(name); … GEN_END; }: the body of the generator `struct name`. Awaited, or run as a task, it ends
 *  with PAWL_EINVAL: it needs a consumer. GEN_DECLARE(name); declares it
 *  for use before its body; GEN_EXTERN(name) and GEN_PUBLIC(name) do the same across files. */
#define PAWL_GEN(name) PAWL_DEFINE_(static, name)
#define PAWL_GEN_PUBLIC(name) PAWL_GEN_EXTERN(name); PAWL_DEFINE_(, name)
#define PAWL_GEN_DECLARE(name) static pawl_resume_fn name##_resume
#define PAWL_GEN_EXTERN(name) extern pawl_resume_fn name##_resume
#define PAWL_GEN_BEGIN(name) \
    PAWL_QUIET_SHADOW_ enum { pawl_yields_ = 1 }; PAWL_LOUD_ \
    PAWL_BODY_BEGIN_(name) \
    /* awaited or spawned: there is nobody to take a value */ \
    if (PAWL_UNLIKELY(!(pawl_root_->state & PAWL_CORO_GENERATOR))) { \
        pawl_err_ = PAWL_EINVAL; \
        PAWL_UNWIND_(); \
    }
#define PAWL_GEN_END PAWL_BODY_END_
/** GEN_RETURN(), GEN_RETURN(value): ends the generator, through every FINALLY around this place. */
#define PAWL_GEN_RETURN(...) PAWL_RETURN_(__VA_ARGS__)

/* A member of the root that has the offset and type of the same member of self. */
#define PAWL_IN_ROOT_(member) \
    (*(__typeof__(self->member) *)(void *)((char *)pawl_root_ + offsetof(__typeof__(*self), member)))

/** YIELD(value): hands a value to the consumer and waits for the next step. */
#define PAWL_YIELD(...) do { \
    PAWL_POINT_DECL_(pawl_here_); \
    PAWL_INSIDE_("YIELD"); \
    PAWL_STATIC_ASSERT(pawl_yields_ || !pawl_inside_, "YIELD in a coroutine: only a generator has values"); \
    PAWL_IN_ROOT_(value) = (__VA_ARGS__); \
    PAWL_STOP_AT_(pawl_here_); \
    pawl_root_->link = pawl_co_; \
    return PAWL_ODD_; \
    PAWL_POINT_(pawl_here_) \
    if (PAWL_UNLIKELY(pawl_err_ != 0)) PAWL_FAIL_(); \
} while (0)

/** SENT(): what the consumer sent with the step that ended the last YIELD; zero when it sent nothing (gen_next). It
 *  is overwritten by the next step. */
#define PAWL_SENT() PAWL_IN_ROOT_(sent)

/** YIELD_FROM(slot, call): runs the generator that `call` makes, in `slot` of this frame, as if its YIELDs stood here;
 *  YIELD_FROM(pointer): a fresh generator that exists already. Values, sends and throws pass through, at any depth at
 *  the price of none; its return value is then in its `result`. Both must yield the same type and be sent the same. */
#define PAWL_YIELD_FROM(...) PAWL_CAT(PAWL_YIELD_FROM_, PAWL_COUNT_(__VA_ARGS__, 0))(__VA_ARGS__)
#define PAWL_YIELD_FROM_3(slot, ...) PAWL_YIELD_FROM_SLOT_(slot, __VA_ARGS__)
#define PAWL_YIELD_FROM_2(pointer) do { \
    PAWL_POINT_DECL_(pawl_here_); \
    PAWL_INSIDE_("YIELD_FROM"); \
    PAWL_SAME_GENERATOR_(*(pointer)); \
    { PAWL_CALL_(pawl_here_, (struct pawl_coro *)PAWL_AWAITABLE_(pointer)) } \
    PAWL_POINT_(pawl_here_) \
    if (PAWL_UNLIKELY(pawl_err_ != 0)) PAWL_FAIL_(); \
} while (0)
#define PAWL_YIELD_FROM_SLOT_(slot, ...) do { \
    PAWL_POINT_DECL_(pawl_here_); \
    PAWL_INSIDE_("YIELD_FROM"); \
    PAWL_SAME_GENERATOR_(slot); \
    { \
        __typeof__(slot) *const pawl_slot_here_ = &(slot); \
        *pawl_slot_here_ = __VA_ARGS__; \
        PAWL_CALL_(pawl_here_, &pawl_slot_here_->awaitable) \
    } \
    PAWL_POINT_(pawl_here_) \
    if (PAWL_UNLIKELY(pawl_err_ != 0)) PAWL_FAIL_(); \
} while (0)
#define PAWL_SAME_GENERATOR_(inner) \
    PAWL_STATIC_ASSERT(PAWL_SAME_TYPE(self->value, (inner).value), "YIELD_FROM: the inner generator yields another type"); \
    PAWL_STATIC_ASSERT(PAWL_SIZE_((inner).sent) == 0 || PAWL_SAME_TYPE(self->sent, (inner).sent), "YIELD_FROM: the inner generator is sent another type")

/* ---- Stepping a generator by hand ------------------------------------------------------------------------------ */

/** bool gen_next(gen): runs to the next YIELD. True: gen->value is there. False: it ended, or could not be resumed;
 *  gen_error tells. `gen` is a pointer to the generator, evaluated once. */
#define pawl_gen_next(gen) \
    pawl_gen_send_((struct pawl_coro *)PAWL_AWAITABLE_(gen), offsetof(__typeof__(*(gen)), sent), NULL, PAWL_SIZE_((gen)->sent))

/** bool gen_send(gen, value): as gen_next, and `value` is what SENT() gives there. A generator that has not started
 *  cannot be sent anything (PAWL_EFRESH; it stays as it is). */
#if defined(__cplusplus)
template <class G, class V> PAWL_INLINE bool pawl_gen_send_value_(G *gen, const V &value)
{
    __typeof__(gen->sent) sent = value;
    return pawl_gen_send_(&gen->awaitable, offsetof(G, sent), &sent, sizeof sent);
}
#define pawl_gen_send(gen, ...) pawl_gen_send_value_((gen), (__VA_ARGS__))
#else
#define pawl_gen_send(gen, ...) \
    pawl_gen_send_((struct pawl_coro *)PAWL_AWAITABLE_(gen), offsetof(__typeof__(*(gen)), sent), \
                   (__typeof__((gen)->sent)[]){ (__VA_ARGS__) }, sizeof((gen)->sent))
#endif

/** bool gen_throw(gen, error): raises `error` (negative) at the YIELD where it stands, however deep. True: it caught
 *  that and yielded. Thrown into one that has not started, it ends with that error and its body never runs. */
#define pawl_gen_throw(gen, error) pawl_gen_throw_((struct pawl_coro *)PAWL_AWAITABLE_(gen), (error))

/** int gen_close(gen): ends it: PAWL_EEXIT is raised where it stands, inner generators first, and every FINALLY
 *  runs. 0 when it has ended (also before, and for a zeroed struct), PAWL_EYIELDED when it yielded instead (it stays
 *  suspended), PAWL_ERUNNING when it is running, or the error that it raised on the way. */
#define pawl_gen_close(gen) pawl_gen_close_((struct pawl_coro *)PAWL_AWAITABLE_(gen))

/** int gen_error(gen): 0 while suspended and after a normal end; the error that it ended with; PAWL_EENDED when it
 *  was resumed after its end; PAWL_ERUNNING while it runs; PAWL_EFRESH when it was sent a value before its start. */
#define pawl_gen_error(gen) pawl_coro_error_((const struct pawl_coro *)PAWL_AWAITABLE_(gen))

/** bool gen_done(gen): has it ended? */
#define pawl_gen_done(gen) (pawl_phase_((const struct pawl_coro *)PAWL_AWAITABLE_(gen)) == PAWL_CORO_DONE)

/** GEN_FOREACH(v, gen) statement: declares v and runs the statement with each value. `gen` is evaluated once. Leaving
 *  the loop early leaves the generator suspended: gen_close it. Not for use across a suspension inside another
 *  coroutine, where v, a local, would be lost: there, while (gen_next(&self->inner)) …. */
#define PAWL_GEN_FOREACH(v, gen) \
    for (__typeof__(gen) pawl_each_##v = (gen); pawl_each_##v; pawl_each_##v = NULL) \
        for (__typeof__(pawl_each_##v->value) v; pawl_gen_next(pawl_each_##v) && ((void)(v = pawl_each_##v->value), true); )

#ifndef PAWL_PREFIXED_KEYWORDS
#define GENERATOR(...) PAWL_GENERATOR(__VA_ARGS__)
#define GEN(name) PAWL_GEN(name)
#define GEN_PUBLIC(name) PAWL_GEN_PUBLIC(name)
#define GEN_DECLARE(name) PAWL_GEN_DECLARE(name)
#define GEN_EXTERN(name) PAWL_GEN_EXTERN(name)
#define GEN_BEGIN(name) PAWL_GEN_BEGIN(name)
#define GEN_END PAWL_GEN_END
#define GEN_RETURN(...) PAWL_GEN_RETURN(__VA_ARGS__)
#define YIELD(...) PAWL_YIELD(__VA_ARGS__)
#define YIELD_FROM(...) PAWL_YIELD_FROM(__VA_ARGS__)
#define SENT() PAWL_SENT()
#define GEN_FOREACH(v, gen) PAWL_GEN_FOREACH(v, gen)
#define gen_next(gen) pawl_gen_next(gen)
#define gen_send(gen, ...) pawl_gen_send(gen, __VA_ARGS__)
#define gen_throw(gen, error) pawl_gen_throw(gen, error)
#define gen_close(gen) pawl_gen_close(gen)
#define gen_error(gen) pawl_gen_error(gen)
#define gen_done(gen) pawl_gen_done(gen)
#endif

#endif
