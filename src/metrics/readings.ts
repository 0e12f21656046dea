import { createRequire } from 'node:module'
import { getHeapStatistics } from 'node:v8'
import * as families from './families.ts'
import type { Metrics } from './metrics.ts'

/** The values of `state` of an offloaded function. */
export const taskStates = ['running', 'queued'] as const

/** Reads the numbers of offloaded tasks each time that the metrics are collected. */
export function readTasks(metrics: Metrics, tasks: () => { readonly running: number; readonly queued: number }): void {
  const table = metrics.table(families.offloadTasks)
  metrics.onCollect(() => {
    const now = tasks()
    for (const state of taskStates) table.add(table.slot(state), now[state])
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
  metrics.onCollect(() => table.add(table.slot(), getHeapStatistics().heap_size_limit))
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
