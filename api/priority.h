/* api/priority.h - who gets the processor first: event loops, with what is finished already. */
#ifndef ECOSYS_API_PRIORITY_H
#define ECOSYS_API_PRIORITY_H

/* Has the calling thread, and no other one, leave the processor to the event loops when they want it. */
void priority_give_way(void);

#endif
