/*
 * epoch: lets readers follow a shared pointer without locks, and a writer know when the last of them passed.
 *
 * A reader calls epoch_enter(), loads the pointer (seq_cst), uses it, calls epoch_leave(); it must not wait
 * in between. A writer swaps the pointer, calls epoch_wait() and may then free what was there. Any thread
 * may be either; nesting is not allowed. Limit: EPOCH_THREADS threads inside at once; one more waits for a
 * place.
 */
#ifndef RUNTIME_EPOCH_H
#define RUNTIME_EPOCH_H

#define EPOCH_THREADS 512

void epoch_enter(void);
void epoch_leave(void);
/* Returns when every reader that was inside at the call has left. */
void epoch_wait(void);

#endif
