import { constants, PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The garbage collector of V8. Its full collections can be observed and started. */
export interface Collector {
  /** Calls `onFull` after each full collection. Returns a function that stops this. */
  watch(onFull: () => void): () => void
  /** Runs a full collection. It blocks the thread until it has ended. */
  run(): void
}

type Collect = () => void

let collect: Collect | undefined

/** The collector of this thread. */
export const ownCollector: Collector = {
  watch(onFull) {
    const observer = new PerformanceObserver(list => {
      const entries = list.getEntries() as unknown as readonly { readonly detail: { readonly kind: number } }[]
      if (entries.some(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR)) onFull()
    })
    observer.observe({ entryTypes: ['gc'] })
    return () => observer.disconnect()
  },
  run() {
    collect ??= exposed()
    collect()
  },
}

/** Returns the function `gc` of a new VM context, so that `gc` does not become visible to other code of the process. */
function exposed(): Collect {
  const isExposed = globalThis.gc !== undefined
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as Collect
  } finally {
    if (!isExposed) setFlagsFromString('--no-expose-gc')
  }
}
