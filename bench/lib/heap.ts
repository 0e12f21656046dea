import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/**
 * Returns the used heap after garbage collection, in bytes. Collects twice, because finalizers release more objects.
 */
export function heapAfterGc(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
