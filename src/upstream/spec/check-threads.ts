import type { ThreadOptions } from '../../threads/threads.ts'
import { numberWithin, wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'

const names: OptionKeys<ThreadOptions> = { count: true, queue: true, heapBytes: true }

/** With less a thread may not start, or V8 ends the process with it. */
const leastHeap = 64 * 2 ** 20

/** Checks the options of a runtime's threads; throws a `TypeError` that names the option. */
export function checkThreads(options: ThreadOptions): ThreadOptions {
  rejectUnknownOptions('runtime', options, names, 'threads')
  const { count, queue, heapBytes } = options
  if (count !== undefined) wholeNumber('runtime', 'threads.count', count)
  if (queue !== undefined) wholeNumber('runtime', 'threads.queue', queue, { min: 0 })
  if (heapBytes !== undefined) numberWithin('runtime', 'threads.heapBytes', heapBytes, leastHeap, 2 ** 40)
  return options
}
