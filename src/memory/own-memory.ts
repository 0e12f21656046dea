import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { resourceLimits } from 'node:worker_threads'
import { ownCollector } from './collector.ts'
import { memoryGroups } from './control-group.ts'
import type { Memory } from './meter.ts'
import { splitNodeOptions } from './node-options.ts'
import { oldSpaceLimit } from './old-space-limit.ts'
import { oldSpaceUse } from './old-space-use.ts'

/**
 * Returns the memory of this thread and its process. If no control group limits the process, the limit is the memory of
 * the machine.
 */
export function ownMemory(): Memory {
  const machine = totalmem()
  const groups = memoryGroups('/', machine)
  return {
    heapLimit: oldSpaceLimit({
      heapSizeLimit: getHeapStatistics().heap_size_limit,
      flags: [...splitNodeOptions(process.env['NODE_OPTIONS'] ?? ''), ...process.execArgv],
      memoryBytes: Math.min(process.constrainedMemory() || machine, machine),
      // Undefined in the main thread.
      threadLimitMb: resourceLimits.maxOldGenerationSizeMb,
    }),
    heapUse: oldSpaceUse,
    groups: groups.length > 0 ? groups : [{ limitBytes: machine, usedBytes: () => process.memoryUsage.rss() }],
    collector: ownCollector,
    now: () => performance.now(),
    cpu() {
      const { user, system } = process.threadCpuUsage()
      return (user + system) / 1000
    },
  }
}
