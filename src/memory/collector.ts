import { constants, PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The collector of V8, as far as one can see and start it. */
export interface Collector {
  /** Calls back after each full collection. Returns a function that ends it. */
  watch(onFull: () => void): () => void
  /** Runs a full collection, which holds the thread until it has ended. */
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

/**
 * Takes the function from a context of its own, so that no other code of the process sees it that does not see it
 * already.
 */
function exposed(): Collect {
  const isExposed = globalThis.gc !== undefined
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as Collect
  } finally {
    if (!isExposed) setFlagsFromString('--no-expose-gc')
  }
}
