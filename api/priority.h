/* api/priority.h - who gets the processor first: event loops, with what is finished already. Both are wishes: a system
 * that does not grant them serves all the same, later. */
#ifndef ECOSYS_API_PRIORITY_H
#define ECOSYS_API_PRIORITY_H

/* How much nicer than an event loop a thread is. While both want the same processor, one that loads a generation, which
 * has to come, gets a third of what the loop gets; one that makes answers a twentieth: many may be asked for, and what
 * makes them must not be felt by those who ask for a finished one. */
enum niceness { NICENESS_OF_LOADING = 5, NICENESS_OF_MAKING = 13 };

/* Has the calling thread, and no other one, leave the processor to the event loops when they want it. */
void priority_give_way(enum niceness niceness);

/* Has the calling thread, and no other one, take the processor as soon as it has something to do, even from a thread
 * whose turn has just begun. It gets no more of it by this. On Linux before 6.12 nothing changes. */
void priority_be_prompt(void);

#endif
