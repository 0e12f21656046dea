import { createRequire } from 'node:module'
import { getHeapStatistics } from 'node:v8'
import * as families from './families.ts'
import type { Metrics } from './metrics.ts'

/** The values of `state` of an offloaded function. */
export const taskStates = ['running', 'queued'] as const

/**
 * Reads the numbers of offloaded tasks each time that the metrics are collected.
 *
 * @returns A function that ends this.
 */
export function readTasks(
  metrics: Metrics,
  tasks: () => { readonly running: number; readonly queued: number },
): () => void {
  const table = metrics.table(families.offloadTasks)
  return metrics.onCollect(() => {
    const now = tasks()
    for (const state of taskStates) table.addRead(table.slot(state), now[state])
  })
}

/** The values of `result` of a command to the shared store. */
export const commandResults = ['ok', 'failed', 'late', 'skipped'] as const

/** The values of the state that replicas share. */
export interface SharedValues {
  readonly isAvailable: boolean
  readonly replicas: number
  readonly commands: Readonly<Record<(typeof commandResults)[number], number>>
  readonly memoryHits: number
}

/** Reads the values of the shared state each time that the metrics are collected. */
export function readSharedState(metrics: Metrics, read: () => SharedValues): void {
  const available = metrics.table(families.sharedStoreAvailable)
  const commands = metrics.table(families.sharedStoreCommands)
  const memoryHits = metrics.table(families.sharedStoreMemoryHits)
  const replicas = metrics.table(families.replicas)
  metrics.onCollect(() => {
    const now = read()
    available.addRead(available.slot(), now.isAvailable ? 1 : 0)
    for (const result of commandResults) commands.addRead(commands.slot(result), now.commands[result])
    memoryHits.addRead(memoryHits.slot(), now.memoryHits)
    replicas.addRead(replicas.slot(), now.replicas)
  })
}

/**
 * Reads the number of lost log lines each time that the metrics are collected. Several readers are several apps of one
 * process, which share its log.
 *
 * @returns A function that ends this.
 */
export function readLostLogLines(metrics: Metrics, lost: () => number): () => void {
  const table = metrics.table(families.logLinesLost)
  table.show(table.slot())
  return metrics.onCollect(() => table.set(table.slot(), lost()))
}

/** Reads the limit of the heap each time that the metrics are collected. */
export function readHeapLimit(metrics: Metrics): void {
  const table = metrics.table(families.heapLimit)
  metrics.onCollect(() => table.addRead(table.slot(), getHeapStatistics().heap_size_limit))
}

/** Adds the version of Headwaters and of Node.js. */
export function addBuildInfo(metrics: Metrics): void {
  const table = metrics.table(families.buildInfo)
  let slot: number | undefined
  metrics.onCollect(() => table.set((slot ??= table.slot(ownVersion(), process.versions.node)), 1))
}

/** Returns the version of Headwaters. */
export function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string }
  return version
}
