import { startChild, type ChildServer } from './child.ts'
import type { DelayUpstreamOptions } from './delay-upstream.ts'

/** Starts an upstream on core 0 that answers each call after `ms` ms. */
export function startDelayUpstream(ms: number): Promise<ChildServer> {
  const delay: DelayUpstreamOptions = { seed: 1, slowRatio: 0, slowMs: 0, fastFromMs: ms, fastToMs: ms }
  return startChild('upstream', new URL('./delay-upstream.ts', import.meta.url), [JSON.stringify(delay)], 0)
}
