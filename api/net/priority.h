/* api/net/priority.h - gives event loops, which send what is finished, the processor before threads that make more.
 * Both functions are best effort: if the system does not grant them, everything works, only later. */
#ifndef ECOSYS_API_NET_PRIORITY_H
#define ECOSYS_API_NET_PRIORITY_H

/* A thread's share of a processor that an event loop also wants, relative to the loop's; the value is how much nicer
 * the thread is. */
enum share { SHARE_THIRD = 5, SHARE_TWENTIETH = 13 };

/* Makes the calling thread, and no other, yield the processor to event loops that want it. */
void priority_give_way(enum share share);

/* Lets the calling thread, and no other, run as soon as it has something to do, even by preempting a thread whose time
 * slice has just begun. This gives it no more processor time. No effect on Linux before 6.12. */
void priority_be_prompt(void);

#endif
