/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the pawl authors */
/*
 * Channels. An item in the channel is free, or promised to a receiver that was woken for it; a place is free, or reserved for
 * a sender that was woken for it. Newcomers only have what is free, and what is free goes to those that wait, so nobody
 * overtakes. Who was woken and then cancelled gives back what was kept for it.
 *
 * With no places at all, a sender that waits is itself the item: the receiver that is woken for it takes it out of the
 * sender's frame, and the sender has sent then, even if it is cancelled before it runs.
 */
#include "item.h"

#include <pawl/channel.h>

void pawl_channel_init_(struct pawl_channel *channel, size_t items, size_t item_size, size_t capacity)
{
    *channel = (struct pawl_channel){ .items = (unsigned char *)channel + items, .item_size = item_size, .capacity = capacity };
}

/* ---- What there is ---- */

static struct pawl_channel_receive *receive_of(struct pawl_link *link)
{
    return (struct pawl_channel_receive *)(void *)((char *)link - offsetof(struct pawl_channel_receive, waiter));
}

static struct pawl_channel_send *send_of(struct pawl_waiter *waiter)
{
    return (struct pawl_channel_send *)(void *)((char *)waiter - offsetof(struct pawl_channel_send, waiter));
}

/* Is there an item that nobody was promised? One whose sender was just cancelled counts until that runs. */
static bool any_item(const struct pawl_channel *channel)
{
    return channel->count > channel->promised;
}

static bool any_place(const struct pawl_channel *channel)
{
    return channel->capacity > channel->count + channel->reserved;
}

/* A newcomer queues up behind those that were woken and have not run yet. */
static bool item_for_newcomer(const struct pawl_channel *channel)
{
    return channel->promised == 0 && channel->count > 0;
}

static bool place_for_newcomer(const struct pawl_channel *channel)
{
    return channel->reserved == 0 && any_place(channel);
}

static void promise_items(struct pawl_channel *channel)
{
    while (any_item(channel) && pawl_wait_wake(&channel->receivers, 0) != NULL) channel->promised++;
}

static void reserve_places(struct pawl_channel *channel)
{
    while (!channel->closed && any_place(channel) && pawl_wait_wake(&channel->senders, 0) != NULL) channel->reserved++;
}

static void put(struct pawl_channel *channel, const struct pawl_item *item)
{
    const size_t at = place_behind(channel->capacity, channel->head, channel->count);
    item_copy(channel->items + at * channel->item_size, pawl_item_(item), channel->item_size);
    channel->count++;
    promise_items(channel);
}

/* Takes the first item, out of the channel or from its sender: false when that has gone. */
static bool take(struct pawl_channel *channel, void *item)
{
    if (channel->capacity > 0) {
        item_copy(item, channel->items + channel->head * channel->item_size, channel->item_size);
        if (++channel->head == channel->capacity) channel->head = 0;
    } else {
        struct pawl_waiter *const sender = pawl_wait_wake(&channel->senders, 0);
        if (sender == NULL) return false;
        item_copy(item, pawl_item_(&send_of(sender)->item), channel->item_size);
    }
    channel->count--;
    reserve_places(channel);
    return true;
}

/* ---- Sending ---- */

static int try_send(struct pawl_channel *channel, const struct pawl_item *item)
{
    if (channel->items == NULL) return PAWL_EINVAL;
    if (channel->closed) return PAWL_ECLOSED;
    if (!place_for_newcomer(channel)) return PAWL_EFULL;
    put(channel, item);
    return 0;
}

int pawl_channel_try_send_(struct pawl_channel *channel, struct pawl_item item)
{
    return try_send(channel, &item);
}

static struct pawl_coro *send_waits(struct pawl_channel_send *self, struct pawl_coro *root)
{
    struct pawl_coro *const how = waiter_begin(&self->channel->senders, &self->waiter, &self->awaitable, root);
    if (self->channel->capacity == 0) {
        self->channel->count++;
        promise_items(self->channel);
    }
    return how;
}

/* A cancellation that came too late is raised at the next suspension; there is none when the send is all that the task does. */
static int sent_already(struct pawl_coro *co, struct pawl_coro *root, int error)
{
    struct pawl_task *const task = pawl_leaf_task(root);
    if (error != PAWL_ECANCELLED) return error;
    if (task != NULL && co != root) set_flags(&task->awaitable.awaitable, PAWL_FUTURE_CANCEL);
    return 0;
}

/* One that waited runs: its outcome. */
static int send_goes_on(struct pawl_channel_send *self, struct pawl_coro *root, int error)
{
    struct pawl_channel *const channel = self->channel;
    const bool woken = pawl_waiter_woken(&self->waiter);
    waiter_end(&channel->senders, &self->waiter);
    if (channel->capacity == 0) {
        if (woken) return sent_already(&self->awaitable, root, error);
        channel->count--;
        return error;
    }
    if (!woken) return error;
    channel->reserved--;
    if (error == 0 && channel->closed) error = PAWL_ECLOSED;
    if (error == 0) put(channel, &self->item);
    reserve_places(channel); /* for one that came behind it; or its own */
    return error;
}

PAWL_LEAF(pawl_channel_send)
{
    PAWL_LEAF_BEGIN(pawl_channel_send);
    struct pawl_channel_send *const self = (struct pawl_channel_send *)(void *)co;
    if (co->point == 0) {
        error = try_send(self->channel, &self->item);
        return error == PAWL_EFULL ? send_waits(self, root) : pawl_leaf_done(co, error);
    }
    return pawl_leaf_done(co, send_goes_on(self, root, error));
}

/* ---- Receiving ---- */

/* Closed, and nothing is in it for anybody else than those that were woken. */
static bool is_over(const struct pawl_channel *channel)
{
    return channel->closed && (channel->capacity == 0 || !any_item(channel));
}

int pawl_channel_try_receive_(struct pawl_channel *channel, void *item)
{
    if (item_for_newcomer(channel) && take(channel, item)) return 0;
    if (channel->items == NULL) return PAWL_EINVAL;
    return is_over(channel) ? PAWL_ECLOSED : PAWL_EEMPTY;
}

/* What it was woken for has gone: it waits again, in front of all but those that had the same bad luck before it. */
static struct pawl_coro *receive_again(struct pawl_channel_receive *self, struct pawl_coro *root)
{
    struct pawl_wait_list *const list = &self->channel->receivers;
    struct pawl_link *before = list->first;
    while (before != NULL && receive_of(before)->again && before->next != list->first) before = before->next;
    const bool last = before == NULL || receive_of(before)->again;
    struct pawl_coro *const how = waiter_begin(list, &self->waiter, &self->awaitable, root);
    self->again = true;
    if (last) return how;
    list_unlink(&self->waiter.link);
    list_append(before, &self->waiter.link);
    if (before == list->first) list->first = &self->waiter.link;
    return how;
}

/* What is left over, or was its own, goes to those behind it. */
static void serve_next(struct pawl_channel *channel)
{
    promise_items(channel);
    if (is_over(channel)) pawl_wait_wake_all(&channel->receivers, PAWL_ECLOSED);
}

static struct pawl_coro *receive_goes_on(struct pawl_channel_receive *self, struct pawl_coro *root, int error)
{
    struct pawl_channel *const channel = self->channel;
    waiter_end(&channel->receivers, &self->waiter);
    if (pawl_waiter_woken(&self->waiter)) {
        channel->promised--;
        if (error == 0 && !take(channel, self->item)) error = channel->closed ? PAWL_ECLOSED : PAWL_EEMPTY;
        if (error != PAWL_EEMPTY) serve_next(channel);
    }
    return error == PAWL_EEMPTY ? receive_again(self, root) : pawl_leaf_done(&self->awaitable, error);
}

PAWL_LEAF(pawl_channel_receive)
{
    PAWL_LEAF_BEGIN(pawl_channel_receive);
    struct pawl_channel_receive *const self = (struct pawl_channel_receive *)(void *)co;
    if (co->point != 0) return receive_goes_on(self, root, error);
    error = pawl_channel_try_receive_(self->channel, self->item);
    if (error != PAWL_EEMPTY) return pawl_leaf_done(co, error);
    return waiter_begin(&self->channel->receivers, &self->waiter, co, root);
}

void pawl_channel_close_(struct pawl_channel *channel)
{
    channel->closed = true;
    pawl_wait_wake_all(&channel->senders, PAWL_ECLOSED);
    serve_next(channel);
}
