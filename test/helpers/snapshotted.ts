import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { oracle } from './oracle.ts'
import type { Streamed } from './streamed.ts'
import { until } from './until.ts'

export const base = aggregate('orders', { url: '/orders', deadline: 10_000 })
export const Any = z.unknown()
export const ask = (id: string | number) => oracle.ask({ id })
export const lost = new UpstreamError('UPSTREAM_RESET', 'oracle')

/** Resolves when a run has had this number of snapshots. */
export const taken = (stream: Streamed, count: number) => until(() => stream.data.length >= count, { withinMs: 5000 })

/** Three steps: one is required, the others have fallbacks. */
export const three = base
  .required('order', () => ask('order'))
  .optional('rating', () => ask('rating'), { fallback: null })
  .optional('stock', () => ask('stock'), { fallback: 0 })
