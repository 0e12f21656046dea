import { randomUUID } from 'node:crypto'
import { offerOf } from '../batch/offer.ts'
import type { BatchAnswer, WrittenResult } from '../batch/result.ts'
import { startBatch, type BatchRun } from '../batch/start-batch.ts'
import { endToEnd } from '../core/end-to-end.ts'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import { requestTrace } from '../trace/request-trace.ts'
import { operationsOf } from '../upstream/declared-specs.ts'
import type { WatchContext } from './run/watched.ts'
import { writeOutput } from './run/write-output.ts'

export interface BatchSettings {
  /** The headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** The limit on the batch, in ms. */
  readonly within: number | undefined
  /** If true, each result is printed when its call has ended. */
  readonly stream: boolean
}

/** Runs a batch of the operations and aggregates of a catalogue that have `batch: true`. */
export async function runBatch(
  { specs, aggregates, config }: OpenCatalogue,
  body: unknown,
  { headers, within = Infinity, stream }: BatchSettings,
  { runtime, signal, onEvent, printing }: WatchContext,
): Promise<BatchAnswer> {
  const offer = offerOf(
    specs.flatMap(operationsOf).filter(({ batch }) => batch),
    aggregates,
  )
  const id = randomUUID()
  const inbound = endToEnd(headers)
  const print = (line: string) => printing(() => writeOutput(`${line}\n`))
  const batch = startBatch(offer, body, {
    id,
    runtime,
    deadline: within,
    headers: inbound,
    maxCalls: config.inbound.batch === false ? 0 : config.inbound.batch.maxCalls,
    trace: requestTrace(inbound, 0),
    // The aggregates of a batch have events of their own.
    onEvent: event => event.run.id === id && onEvent(event),
    onResult: stream ? result => print(callText(result)) : undefined,
  })
  if (stream) print(planText(batch, id))
  const cancel = () => batch.cancel(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })
  const answer = await batch.start()
  if (stream) print(replyText(answer))
  return answer
}

function planText({ plan, deadline }: BatchRun, run: string): string {
  const calls = plan.map(({ id, needs }) => ({ id, needs }))
  return JSON.stringify({ event: 'plan', run, deadline, calls })
}

function callText({ text }: WrittenResult): string {
  return `{"event":"call",${text.slice(1)}`
}

function replyText({ text, retryAfter }: BatchAnswer): string {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  }
  return `{"event":"reply","status":200,"headers":${JSON.stringify(headers)},"body":${text}}`
}
