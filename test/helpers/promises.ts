import { createHook } from 'node:async_hooks'

/** How many promises are made while `work` runs and until what it returns is settled. */
export async function promisesOf(work: () => Promise<unknown>): Promise<number> {
  let made = 0
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'PROMISE') made++
    },
  }).enable()
  try {
    await work()
  } finally {
    hook.disable()
  }
  return made
}
