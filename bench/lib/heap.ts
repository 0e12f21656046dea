import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of heap in use when all that can go has gone; twice, since finalizers free more. */
export function heapAfterGc(): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
