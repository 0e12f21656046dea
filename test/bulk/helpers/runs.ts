import { z } from 'zod'
import type { BulkListener } from '../../../src/bulk/bulk-listener.ts'
import type { BulkRun, Manifest } from '../../../src/bulk/bulk-run.ts'
import { ClaimedChunks } from '../../../src/bulk/claimed-chunks.ts'
import type { ChunkClaims } from '../../../src/bulk/chunk-claims.ts'
import { BulkExecutor, type ExecutorOptions } from '../../../src/bulk/executor.ts'
import { Journal } from '../../../src/bulk/journal.ts'
import type { BulkStore } from '../../../src/bulk/object-store.ts'
import type { ResultCounts } from '../../../src/bulk/result-chunk.ts'
import { Results } from '../../../src/bulk/results.ts'
import { Upload } from '../../../src/bulk/upload.ts'
import { aggregate, type AnyAggregate } from '../../../src/fanout/aggregate.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'

export const owner = 'a'.repeat(32)
export const id = '0'.repeat(31) + '1'

/** An aggregate that doubles a number and fails for 13. */
export const double = aggregate('double', { url: '/v1/double', body: z.object({ n: z.number() }), bulk: true })
  .required('doubled', ({ body: { n } }) => {
    if (n === 13) throw new RangeError('13 cannot be doubled')
    return 2 * n
  })
  .reply(z.object({ doubled: z.number() }), ({ doubled }) => ({ doubled }))

/** Returns an aggregate like `double` whose items wait until they are released. */
export function gatedDouble() {
  const gate = Promise.withResolvers<void>()
  let started = 0
  const waiting = aggregate('double', { url: '/v1/double', body: z.object({ n: z.number() }), bulk: true })
    .required('doubled', async ({ body: { n } }) => {
      started++
      await gate.promise
      return 2 * n
    })
    .reply(z.object({ doubled: z.number() }), ({ doubled }) => ({ doubled }))
  return { waiting, release: () => gate.resolve(), started: () => started }
}

/** Returns the lines of the inputs 0 to `count` - 1. */
export function numbers(count: number): string {
  return Array.from({ length: count }, (_, n) => `${JSON.stringify({ body: { n } })}\n`).join('')
}

/** Creates a run of these lines. */
export async function createRun(journal: Journal, lines: string, options: Partial<Manifest> = {}): Promise<BulkRun> {
  const upload = new Upload(journal.store, journal.newUpload(), { maxItems: 1_000_000, maxBytes: 1_000_000_000 })
  await upload.add(Buffer.from(lines))
  const digest = await upload.finish()
  const described = {
    id,
    owner,
    aggregate: 'double',
    items: upload.items,
    upload: upload.name,
    digest,
    retention: 1000,
  }
  return journal.create({ ...described, ...options })
}

/** What an executor has reported. */
export interface Reported {
  readonly items: ResultCounts[]
  readonly started: string[]
  readonly completed: string[]
  readonly missing: string[]
  readonly faults: unknown[]
  read: { readonly running: number; readonly paused: number } | undefined
}

/** Returns a listener that records what it gets. */
export function recorded(): { readonly reported: Reported; readonly listener: BulkListener } {
  const reported: Reported = { items: [], started: [], completed: [], missing: [], faults: [], read: undefined }
  return {
    reported,
    listener: {
      itemsEnded: counts => reported.items.push(counts),
      runStarted: run => reported.started.push(run.id),
      runCompleted: run => reported.completed.push(run.id),
      aggregateMissing: run => reported.missing.push(run.id),
      storeFailed: error => reported.faults.push(error),
      runsRead(counts) {
        reported.read = counts
      },
    },
  }
}

/** Claims of one process. */
export function ownClaims(): ChunkClaims {
  const held = new Set<string>()
  return {
    async claim(run, chunk) {
      const name = `${run}/${chunk}`
      if (held.has(name)) return undefined
      held.add(name)
      return async () => void held.delete(name)
    },
  }
}

/** Returns an executor over a store, and what it reports. */
export function executorOf(
  store: BulkStore,
  {
    aggregates = [double],
    ...options
  }: Partial<Omit<ExecutorOptions, 'aggregates'>> & {
    readonly aggregates?: readonly AnyAggregate[]
  } = {},
) {
  const { reported, listener } = recorded()
  const runtime = createRuntime()
  const executor = new BulkExecutor({
    journal: new Journal(store),
    chunks: new ClaimedChunks(ownClaims()),
    services: { runtime, level: 'full', concurrency: 4 },
    pollMs: 5,
    listener,
    ...options,
    aggregates: new Map(aggregates.map(each => [each.name, each])),
  })
  return { executor, reported, runtime }
}

type RunId = Pick<Manifest, 'owner' | 'id'> & Partial<Pick<Manifest, 'upload'>>

/** Returns the text of the results that can be read. */
export async function readResults(store: BulkStore, named: RunId = { owner, id }) {
  const run = await new Journal(store).find(named.owner, named.id)
  const results = new Results(store, run ?? { upload: '1-1', ...named })
  await results.refresh()
  const pieces: Buffer[] = []
  for await (const piece of results.read({ start: 0, end: results.bytes })) pieces.push(piece)
  return { results, text: Buffer.concat(pieces).toString() }
}

/** Returns the lines of the results that can be read. */
export async function resultsOf(store: BulkStore, run?: RunId) {
  const { results, text } = await readResults(store, run)
  const lines = text.split('\n').filter(line => line !== '')
  return { text, results, items: lines.map(line => JSON.parse(line) as ResultLine) }
}

export interface ResultLine {
  readonly index: number
  readonly status: number
  readonly complete?: boolean
  readonly value?: unknown
  readonly sources?: object
  readonly problem?: { readonly code: string; readonly detail: string; readonly errors?: readonly object[] }
}
