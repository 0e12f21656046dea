import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { httpCaller } from '../../lib/http-caller.ts'
import { figuresOf, type OpenLoopFigures } from '../../lib/open-loop-figures.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { startDelayUpstream } from '../../lib/start-delay-upstream.ts'
import { startServe } from '../start-serve.ts'
import { startBulkRun } from './bulk-client.ts'

export interface BulkBenchOptions {
  readonly items: number
  /** Live requests per second. */
  readonly rate: number
  readonly rounds: number
  /** Duration of a window. */
  readonly seconds: number
  /** Time of a call to the upstream, in ms. */
  readonly delay: number
}

/** The live requests in two windows of a round. */
export interface BulkRound {
  /** While the run is paused. */
  readonly alone: OpenLoopFigures
  /** While the run goes on. */
  readonly beside: OpenLoopFigures
  /** Items of the run per second, beside the live requests. */
  readonly itemsPerSecond: number
}

/** The time after which a pause, and the rate of the items after it, has its effect. */
const settleMs = 1500

/** Measures live requests with and without a bulk run beside them, in windows that take turns. */
export async function measureBulk({ items, rate, rounds, seconds, delay }: BulkBenchOptions): Promise<BulkRound[]> {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-bulk-'))
  const upstream = await startDelayUpstream(delay)
  const service = await startServe('service', new URL('./definitions.ts', import.meta.url), {
    HEADWATERS_UPSTREAM_LEAVES_ORIGIN: `http://127.0.0.1:${upstream.port}`,
    HEADWATERS_BULK_DIR: folder,
  })
  const caller = httpCaller(service.port, '/live')
  const window = async (): Promise<OpenLoopFigures> => {
    const send = (_index: number, dueAt: number) => caller.send(dueAt)
    // The live traffic goes on while the rate of the items settles.
    await openLoop({ perSecond: rate, seconds: settleMs / 1000, send })
    caller.takeCompleted()
    const startedAt = performance.now()
    await openLoop({ perSecond: rate, seconds, send })
    return figuresOf(caller.takeCompleted(), startedAt, seconds)
  }
  try {
    await window()
    const run = await startBulkRun(service.port, items)
    const measured: BulkRound[] = []
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? (['alone', 'beside'] as const) : (['beside', 'alone'] as const)
      const figures: Partial<Record<'alone' | 'beside', OpenLoopFigures>> = {}
      let itemsPerSecond = 0
      for (const kind of order) {
        await (kind === 'alone' ? run.pause() : run.resume())
        await pause(kind === 'alone' ? settleMs : 0)
        const before = await run.progress()
        figures[kind] = await window()
        if (kind === 'beside')
          itemsPerSecond = ((await run.progress()).done - before.done) / (seconds + settleMs / 1000)
      }
      measured.push({ ...(figures as Record<'alone' | 'beside', OpenLoopFigures>), itemsPerSecond })
    }
    const { failed, done } = await run.progress()
    if (failed > 0) throw new Error(`${failed} of ${done} items failed`)
    if (done === items) throw new Error(`the run of ${items} items ended before the last window: add --items`)
    return measured
  } finally {
    await caller.close()
    await service.stop()
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
