import { setTimeout as delay } from 'node:timers/promises'
import type { ErrorCode } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { chunkItems } from './names.ts'
import type { Pacer } from './pacer.ts'
import type { ResultCounts } from './result-chunk.ts'
import { runItem, type ItemResult, type ItemServices } from './run-item.ts'

/** A chunk of inputs. */
export interface InputChunk {
  readonly run: string
  readonly aggregate: AnyAggregate
  /** The number of the chunk, from 1. */
  readonly number: number
  readonly lines: readonly Buffer[]
}

/** The services that the chunks of an app use. */
export interface ChunkServices extends ItemServices {
  /** The number of items at the same time. */
  readonly concurrency: number
  /** Decides when an item may start. @default at once */
  readonly pacer?: Pacer
  /** The first pause before an item runs again, in ms. @default 500 */
  readonly retryMs?: number
}

/** The results of a chunk, in the order of its items. */
export interface ChunkResults {
  readonly lines: readonly string[]
  readonly counts: ResultCounts
}

/**
 * Failures that say nothing about the item: the service or an upstream has no capacity for it now. A run of many items
 * must not fail them all while an upstream is down for a few seconds.
 */
const busyCodes: ReadonlySet<ErrorCode> = new Set([
  'BULKHEAD_FULL',
  'BREAKER_OPEN',
  'THREADS_FULL',
  'LOCAL_RESOURCES',
  'UPSTREAM_BUSY',
])

/** The number of times that an item runs, if it fails with such a code. */
const maxTries = 6

/** Runs the items of a chunk. Rejects with the reason of the signal, and has no results then. */
export async function runChunk(chunk: InputChunk, services: ChunkServices, signal: AbortSignal): Promise<ChunkResults> {
  const results: ItemResult[] = []
  let next = 0
  const work = async () => {
    while (next < chunk.lines.length) {
      const at = next++
      results[at] = await runPatiently(chunk, at, services, signal)
    }
  }
  // Wait for all items, so that none runs when this has rejected.
  const ends = await Promise.allSettled(Array.from({ length: services.concurrency }, work))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  const counts = { succeeded: 0, partial: 0, failed: 0 }
  for (const { kind } of results) counts[kind]++
  return { lines: results.map(({ text }) => text), counts }
}

/** Runs an item, and runs it again after a pause if there was no capacity for it. */
async function runPatiently(
  { run, aggregate, number, lines }: InputChunk,
  at: number,
  services: ChunkServices,
  signal: AbortSignal,
): Promise<ItemResult> {
  const index = (number - 1) * chunkItems + at
  const item = { aggregate, index, line: lines[at] as Buffer, key: `${run}-${index}` }
  let tries = 1
  for (;;) {
    if (services.pacer === undefined) signal.throwIfAborted()
    else await services.pacer.admit(signal)
    const result = await runItem(item, services, signal)
    const { problem } = result
    if (problem === undefined || !busyCodes.has(problem.code) || tries === maxTries) return result
    await delay((services.retryMs ?? 500) * 2 ** (tries - 1), undefined, { signal })
    tries++
  }
}
