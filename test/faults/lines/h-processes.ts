import type { Entry } from '../helpers/entry.ts'
import { fullDisk, stoppedReader } from '../scenes/logs.ts'
import { ended, forced, hungWhileEnding, lateRequests, started, uncaught } from '../scenes/processes.ts'

/** The life of the process. */
export const processes: readonly Entry[] = [
  {
    no: 93,
    fault: 'SIGTERM with requests under way',
    right: 'no new connection, each answer is the last of its connection, the end with 0 at once after them',
    play: ended,
  },
  {
    no: 94,
    fault: 'a request over a kept connection while it ends',
    right: 'closed, and no upstream is asked',
    play: lateRequests,
  },
  {
    no: 95,
    fault: 'SIGTERM while an upstream hangs',
    right: '503 when the time is over, and the end with 0',
    play: hungWhileEnding,
  },
  { no: 96, fault: 'a second SIGTERM', right: 'the end at once, not with 0', play: forced },
  { no: 96, fault: 'an uncaught error', right: 'logged, and the end, not with 0', play: uncaught },
  {
    no: 97,
    fault: 'a start while upstreams are down, and one with bad configuration',
    right: 'it starts, its replies are partial; it does not start and says what is wrong',
    play: started,
  },
  {
    no: 110,
    fault: 'a disk that is full under stdout',
    right: 'callers are served, lost lines are counted, SIGTERM ends it with 0',
    play: fullDisk,
  },
  {
    no: 111,
    fault: 'a reader of stdout that stops',
    right: 'callers are served in bounded memory, SIGTERM ends it with 0, a reader that is back reads what was lost',
    play: stoppedReader,
  },
]
