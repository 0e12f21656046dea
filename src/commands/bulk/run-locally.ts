import { createReadStream, createWriteStream } from 'node:fs'
import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { BulkListener } from '../../bulk/bulk-listener.ts'
import { hasEnded, type BulkRun } from '../../bulk/bulk-run.ts'
import { ClaimedChunks } from '../../bulk/claimed-chunks.ts'
import { DiskClaims } from '../../bulk/disk/disk-claims.ts'
import { DiskStore } from '../../bulk/disk/disk-store.ts'
import { BulkExecutor } from '../../bulk/executor.ts'
import { Journal } from '../../bulk/journal.ts'
import { Results } from '../../bulk/results.ts'
import { Upload } from '../../bulk/upload.ts'
import type { OpenCatalogue } from '../../definitions/catalogue.ts'
import { Problem } from '../../errors.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { createRuntime } from '../../upstream/runtime.ts'
import { UsageError } from '../usage-error.ts'
import { showProgress } from './progress.ts'

export interface LocalSettings {
  readonly dir: string
  /** The file of the results. @default stdout */
  readonly output: string | undefined
  readonly concurrency: number
  /** The file of the inputs, or `-` for stdin. */
  readonly file: string
}

/** The owner of the runs of this command. */
const owner = 'command'

/** The largest number of inputs, and of their bytes. */
const limits = { maxItems: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER }

/** The time for which a run whose results were not printed stays after its end: 7 days, in ms. */
const retention = 604_800_000

/** The time between two looks for the end of the run, in ms. Another process may have ended it. */
const lookMs = 250

/** Runs an aggregate for each line of a file. Returns the exit code. */
export async function runLocally(
  catalogue: OpenCatalogue,
  aggregate: AnyAggregate,
  { dir, output, concurrency, file }: LocalSettings,
): Promise<number> {
  const store = await DiskStore.open(dir)
  const journal = new Journal(store)
  await journal.sweep()
  const run = await createRun(journal, aggregate.name, file)
  const results = new Results(store, run)
  await results.refresh()
  const runtime = createRuntime({ overrides: catalogue.overrides, environment: catalogue.environment })
  const progress = showProgress(run, results.counts)
  const completed = new AbortController()
  const listener: BulkListener = {
    ...silent,
    itemsEnded: counts => progress.add(counts),
    runCompleted: () => completed.abort(),
    storeFailed: (error, pauseMs) =>
      progress.note(`the folder cannot be used: ${(error as Error).message}; the next try is in ${pauseMs} ms`),
  }
  const executor = new BulkExecutor({
    journal,
    chunks: new ClaimedChunks(new DiskClaims(store)),
    aggregates: new Map([[aggregate.name, aggregate]]),
    services: { runtime, level: 'full', onEvent: catalogue.onEvent, concurrency },
    listener,
    run: run.id,
  })
  executor.start()
  const signal = await endOf(journal, run, completed.signal)
  await executor.stop()
  await runtime.close()
  progress.end(signal === undefined)
  if (signal !== undefined) {
    process.stderr.write('interrupted: the same command goes on with the items that have no results\n')
    return signal === 'SIGINT' ? 130 : 143
  }
  await results.refresh()
  const { succeeded, partial, failed } = results.counts
  if (succeeded + partial + failed < run.items) {
    process.stderr.write(`the run was removed from ${dir} before its results were written: start the command again\n`)
    return 1
  }
  await printResults(results, output)
  await journal.remove(run)
  return succeeded === run.items ? 0 : 1
}

const silent = { runStarted() {}, aggregateMissing() {}, runsRead() {} }

/** Stores the inputs. The same inputs of the same aggregate are the same run. */
async function createRun(journal: Journal, aggregate: string, file: string): Promise<BulkRun> {
  const upload = new Upload(journal.store, journal.newUpload(), limits)
  let digest: string
  try {
    for await (const bytes of file === '-' ? process.stdin : createReadStream(file)) await upload.add(bytes as Buffer)
    digest = await upload.finish()
  } catch (error) {
    await upload.remove()
    throw error instanceof Problem ? new UsageError(`bulk ${file}: ${error.detail}`, { cause: error }) : error
  }
  const id = hash('sha256', `${aggregate} ${digest}`).slice(0, 32)
  const described = { id, owner, aggregate, items: upload.items, upload: upload.name, digest, retention }
  const run = await journal.create(described)
  if (run.upload !== upload.name) await upload.remove()
  return run
}

/** Resolves when the run has ended, or with the signal that interrupts it. A second signal exits at once. */
async function endOf(journal: Journal, run: BulkRun, completed: AbortSignal): Promise<NodeJS.Signals | undefined> {
  const interruption = new AbortController()
  let signal: NodeJS.Signals | undefined
  const interrupt = (which: NodeJS.Signals) => {
    if (signal !== undefined) process.exit(130)
    signal = which
    interruption.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  const wake = AbortSignal.any([completed, interruption.signal])
  while (!interruption.signal.aborted) {
    // The executor reports a failure of the folder and continues after a pause.
    const now = await journal.find(run.owner, run.id).catch(() => run)
    if (now?.upload !== run.upload || hasEnded(now)) break
    await delay(lookMs, undefined, { signal: wake }).catch(() => {})
  }
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  return signal
}

async function printResults(results: Results, output: string | undefined): Promise<void> {
  const lines = Readable.from(results.read({ start: 0, end: results.bytes }), { objectMode: false })
  if (output !== undefined) return pipeline(lines, createWriteStream(output))
  return pipeline(lines, process.stdout, { end: false })
}
