// Watches a folder whose state changes at its third check, while no further file can be opened. Prints the limit and
// the reload.
import { openSync } from 'node:fs'
import { watch } from '../../../src/definitions/watch.ts'

let checks = 0
let isFull = false
while (!isFull)
  try {
    openSync('/dev/null', 'r')
  } catch {
    isFull = true
  }
const stop = watch(
  { folders: () => new Set(['/']), changed: () => ++checks === 3 },
  async () => {
    console.log('reload')
    stop()
  },
  error => console.log(error),
  { onLimit: (error, pollMs) => console.log((error as NodeJS.ErrnoException).code, pollMs), pollMs: 20 },
)
