/* api/priority.h - who gets the processor first: event loops, with what is finished already. Both are wishes: a system
 * that does not grant them serves all the same, later. */
#ifndef ECOSYS_API_PRIORITY_H
#define ECOSYS_API_PRIORITY_H

/* What a thread gets while an event loop wants the same processor, as a part of what the loop gets; the value is how much
 * nicer it is. */
enum share { SHARE_THIRD = 5, SHARE_TWENTIETH = 13 };

/* Has the calling thread, and no other one, leave the processor to the event loops when they want it. */
void priority_give_way(enum share share);

/* Has the calling thread, and no other one, take the processor as soon as it has something to do, even from a thread
 * whose turn has just begun. It gets no more of it by this. On Linux before 6.12 nothing changes. */
void priority_be_prompt(void);

#endif
