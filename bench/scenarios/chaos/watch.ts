import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapSpaceStatistics } from 'node:v8'

/** Memory of a process of the service at one moment. */
export interface ChaosSample {
  readonly pid: number
  /** Used bytes of the heap without the new spaces. */
  readonly oldBytes: number
  readonly externalBytes: number
  readonly residentBytes: number
  /** Maximum event loop delay since the last sample, in ms. */
  readonly loopDelay: number
}

const sampleMs = 500

/** Appends a sample to a file in a folder twice per second. The file remains if the process crashes. */
export function watch(folder: string): void {
  const delays = monitorEventLoopDelay({ resolution: 10 })
  delays.enable()
  setInterval(() => {
    const { external, rss } = process.memoryUsage()
    const oldBytes = getHeapSpaceStatistics().reduce(
      (sum, { space_name: name, space_used_size: bytes }) => (name.startsWith('new_') ? sum : sum + bytes),
      0,
    )
    const sample: ChaosSample = {
      pid: process.pid,
      oldBytes,
      externalBytes: external,
      residentBytes: rss,
      loopDelay: delays.max / 1e6,
    }
    delays.reset()
    appendFileSync(join(folder, `${process.pid}.ndjson`), `${JSON.stringify(sample)}\n`)
  }, sampleMs).unref()
}
