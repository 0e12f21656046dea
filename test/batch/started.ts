import type { BatchAnswer, BatchReply, WrittenResult } from '../../src/batch/result.ts'
import type { BatchOffer } from '../../src/batch/offer.ts'
import type { BatchStartOptions } from '../../src/batch/batch-start.ts'
import { startBatch, type BatchRun } from '../../src/batch/start-batch.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'

/** A result as a caller reads it, with the problem in the form of its JSON. */
export interface ReadResult {
  readonly id: string
  readonly operation: string
  readonly state: string
  readonly status: number
  readonly data?: unknown
  readonly complete?: boolean
  readonly sources?: Readonly<Record<string, { readonly state: string }>>
  readonly problem?: { readonly code: string; readonly detail: string; readonly status: number }
}

export interface Started {
  readonly batch: BatchRun
  /** The reply, parsed. */
  readonly reply: Promise<Omit<BatchReply, 'results'> & { readonly results: readonly ReadResult[] }>
  readonly answer: Promise<BatchAnswer>
  readonly events: readonly RunEvent[]
  /** The results in the order of their arrival. */
  readonly arrived: readonly WrittenResult[]
}

/** Starts a batch of some calls, with room for everything unless `options` say otherwise. */
export function started(
  offer: BatchOffer,
  body: object | readonly object[],
  runtime: Runtime,
  options: Partial<BatchStartOptions> = {},
): Started {
  const events: RunEvent[] = []
  const arrived: WrittenResult[] = []
  const batch = startBatch(offer, Array.isArray(body) ? { calls: body } : body, {
    runtime,
    deadline: 60_000,
    headers: {},
    maxCalls: 1000,
    ...options,
    onEvent: event => {
      events.push(event)
      options.onEvent?.(event)
    },
    onResult: result => {
      arrived.push(result)
      options.onResult?.(result)
    },
  })
  const answer = batch.start()
  const reply = answer.then(({ text }) => JSON.parse(text) as Awaited<Started['reply']>)
  // A test that cancels the batch awaits `answer` alone, or nothing.
  for (const each of [answer, reply]) each.catch(() => {})
  return { batch, reply, answer, events, arrived }
}
