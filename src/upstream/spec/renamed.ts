import type { RenamedOptions } from '../../core/option-keys.ts'

// The old names of options, refused with their new names until 1.0.

export const upstreamRenames: RenamedOptions = {
  slots: 'concurrency',
  queue: 'maxQueue',
  timeout: 'attemptTimeout',
  deadline: 'totalTimeout',
  budget: 'retryBudget',
  forward: 'forwardHeaders',
  public: 'publicOnly',
  trusted: 'pipelining',
  use: 'layers',
  maxBytes: 'maxResponseBytes',
  cacheBytes: 'maxCacheBytes',
  maxValues: 'maxJsonValues',
}

export const retryRenames: RenamedOptions = { attempts: 'maxAttempts', delay: 'initialDelay' }

export const hedgeRenames: RenamedOptions = { share: 'maxRatio' }

export const retryBudgetRenames: RenamedOptions = { share: 'ratio', perSecond: 'minPerSecond' }

export const breakerRenames: RenamedOptions = {
  failures: 'failureRatio',
  minimum: 'minimumCalls',
  open: 'openDuration',
  maxOpen: 'maxOpenDuration',
}

export const operationRenames: RenamedOptions = {
  absent: 'nullOn',
  empty: 'allowEmpty',
  as: 'responseType',
  withHeaders: 'responseHeaders',
}

export const overrideRenames: RenamedOptions = { slots: 'concurrency', timeout: 'attemptTimeout' }

export const cacheStoreRenames: RenamedOptions = { keeps: 'storage', patience: 'getTimeout' }

export const pluginRenames: RenamedOptions = { use: 'layers' }

export const appRenames: RenamedOptions = { ...pluginRenames, part: 'partition', drainMs: 'drainTimeout' }

export const runtimeRenames: RenamedOptions = { ...appRenames, onBreaker: 'onBreakerChange' }
