import { Pool } from 'undici'
import { UpstreamError } from '../errors.ts'
import { dispatch, keyOf } from './dispatch.ts'
import { attempt } from './policies/attempt.ts'
import { bulkhead, type BulkheadGauge } from './policies/bulkhead.ts'
import { coalesce } from './policies/coalesce.ts'
import { deadline } from './policies/deadline.ts'
import { stack, type Layer, type Service } from './policies/layer.ts'
import { observe, type Counts } from './policies/observe.ts'
import type { UpstreamSpec } from './spec.ts'

/** Where an upstream really is; a path prefix stands before every path. */
export interface Place {
  readonly origin: string
  readonly prefix: string
  /** Refuses every call. */
  readonly off: boolean
}

/** One upstream with its pool and the state of its layers. */
export interface Client {
  readonly send: Service
  readonly counts: Counts
  readonly gauge: BulkheadGauge
  /** Ends the pool; calls in flight are rejected with `RUNTIME_CLOSED`. */
  close (): Promise<void>
}

/** Opens an upstream: one pool, and the layers around it in the one order there is. */
export function createClient (spec: UpstreamSpec, { origin, prefix, off }: Place): Client {
  const { name: upstream, connections, slots, queue, timeout, connectTimeout } = spec
  const counts: Counts = { calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, waitedMs: 0 }
  const pool = new Pool(origin, {
    connections,
    connect: { timeout: connectTimeout },
    // Our own timers are exact and undici's are late by up to a second, so undici sets none.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1024,
    allowH2: false,
  })
  const { layer: slotsAndQueue, gauge } = bulkhead({ upstream, slots, queue })

  // Outermost first. Each line says what it must be above, and so why it stands where it stands.
  const layers: readonly (Layer | false)[] = [
    observe(counts), // all: it also counts refusals and time spent waiting
    spec.deadline !== undefined && deadline({ upstream, deadline: spec.deadline }), // everything that waits or is repeated: one limit for all of it
    spec.coalesces && coalesce({ keyOf }), // every effort: those who join share the whole of it
    slotsAndQueue, // attempt: a slot is held exactly while the wire is in use
    attempt({ upstream, timeout }), // dispatch: a precise limit on one attempt
  ]

  return {
    send: off
      ? stack([observe(counts)], () => Promise.reject(new UpstreamError('UPSTREAM_OFF', upstream)))
      : stack(layers.filter(layer => layer !== false), dispatch(pool, prefix)),
    counts,
    gauge,
    close: () => pool.destroy(),
  }
}
