import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turn } from './turn.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Resolves when the garbage collector has taken everything that only weak references hold. */
export async function collected(): Promise<void> {
  // What a weak reference has given is held until the end of the turn.
  await turn()
  collect()
}
