import type { Entry } from '../helpers/entry.ts'
import { fewDescriptors } from '../scenes/descriptors.ts'
import { killed, spinning, stopped } from '../scenes/workers.ts'

/** The workers of a service, and the descriptors of a process. */
export const workers: readonly Entry[] = [
  { no: 112, fault: 'a worker is killed', right: 'replaced, and later callers are answered', play: killed },
  { no: 113, fault: 'a worker is stopped', right: 'killed and replaced after its time for a heartbeat', play: stopped },
  { no: 114, fault: 'a worker spins', right: 'killed and replaced after its time for a heartbeat', play: spinning },
  {
    no: 115,
    fault: 'more callers at once than file descriptors',
    right: 'answered, or 503 with retry-after; no connection is reset, and upstreams keep a share',
    play: fewDescriptors,
  },
]
