import type { Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../../src/app.ts'
import type { AnyAggregate } from '../../../src/fanout/aggregate.ts'
import { createRuntime, type RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { listening } from '../../helpers/listening.ts'

export const Word = z.object({ word: z.string() })
/** Asks for one word: `GET /word/{id}` answers `{ word }`. */
export const wordPath = { path: '/word/{id}', params: z.object({ id: z.string() }), output: Word } as const
export const Id = z.object({ id: z.string() })

/** What a scene reads of a reply, good or not. */
export interface Reply<Data = Readonly<Record<string, unknown>>> {
  readonly data?: Data
  readonly complete?: boolean
  readonly code?: string
  readonly sources: Readonly<
    Record<
      string,
      {
        readonly state: string
        readonly code?: string
        readonly attempts: number
        readonly ms: number
        readonly status?: number
      }
    >
  >
}

/** Does not look at how busy this machine is. */
export const calm = { loopDelay: 0, heapPercent: 0, memoryPercent: 0 } as const

/** The real service with these aggregates on a real socket, and its runtime to look into. */
export async function stage(
  t: Test,
  aggregates: readonly AnyAggregate[],
  options: RuntimeOptions & Pick<AppOptions, 'logger' | 'limits' | 'pressure'> = {},
) {
  const { logger = false, limits = {}, pressure = calm, ...ofRuntime } = options
  const runtime = createRuntime(ofRuntime)
  t.teardown(() => runtime.close())
  const app = buildApp(aggregates, { runtime, logger, limits, pressure })
  const get = await listening(t, app)
  return { app, runtime, get }
}
