"""A place where a submission's code can do no harm.

Each layer, and what it stops:

- bubblewrap (`bubble`): a file system that holds the system's programs, Python and `labutils`, all read-only. There
  is no home, no checkout, no course, no other submission, no process of the machine and no network. Root gives up
  being root.
- namespaces of its own for each child (`confine`): it sees no process but its own, so it can neither signal nor
  inspect the zygote, and shares no shared memory, queue or abstract socket with anybody. With its first process all
  others end.
- a private folder of limited size (`confine`): the only place to write in, empty at the start and gone at the end.
- no capabilities and no way to gain any (`confine`).
- limits of the kernel (`confine`): address space and CPU time of each process, size of a file, open files, and the
  number of processes and threads together.
- a filter of system calls (`calls`): mounts, namespaces, debugging, sockets other than unix ones, memory that belongs
  to no process, and the corners of the kernel in which most faults are found.
- a watch (`watching`): memory and CPU time of all processes together, which no limit of the kernel's bounds.
- no descriptor of the grader's or the zygote's, and no variable of the grader's (`forking`, `bubble`).

What is not stopped: a fault in the kernel itself; measuring the machine's load or the time; keeping the processors
busy, which those who are graded beside it share as the system divides them; a submission that tells its own process
lies, which is why nothing that a child says of itself is believed. Between two looks of the watch, 50
ms, memory may exceed its limit, and buffers of pipes and sockets, at most some GB with the limits at their defaults,
are not counted. CPU time of grandchildren that nobody waits for is not counted either; the wall clock is the grader's
to watch. The names of the folders in which the machine keeps Python and the lab can be read. Without a sandbox
(`unsafe`) nothing of this holds.
"""
