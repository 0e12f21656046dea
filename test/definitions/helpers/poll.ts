// Watches a folder whose state changes at its third check. Prints the limit and the reload.
import { watch } from '../../../src/definitions/watch.ts'

let checks = 0
const stop = watch(
  { folders: () => new Set(['/']), changed: () => ++checks === 3 },
  async () => {
    console.log('reload')
    stop()
  },
  error => console.log(error),
  { onLimit: (error, pollMs) => console.log((error as NodeJS.ErrnoException).code, pollMs), pollMs: 20 },
)
