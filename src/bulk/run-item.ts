import { inputFaults } from '../batch/check-input.ts'
import { asTexts } from '../batch/prepare.ts'
import { hasBigint } from '../core/json/needs-exact.ts'
import { writeJson } from '../core/json/write.ts'
import { Problem, toProblem } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { OnEvent } from '../fanout/events.ts'
import { createTracedRun } from '../fanout/fan-out.ts'
import type { RawInput } from '../fanout/input.ts'
import type { Reply } from '../fanout/reply.ts'
import { shownProblem } from '../fanout/shown-problem.ts'
import { shownSources } from '../fanout/shown-sources.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import type { CallFlow } from '../upstream/call/flow.ts'
import type { Runtime } from '../upstream/runtime.ts'
import { parseLine } from './parse-line.ts'
import type { ResultCounts } from './result-chunk.ts'

/** An item of a run. */
export interface BulkItem {
  readonly aggregate: AnyAggregate
  /** The index of the item in its run, from 0. */
  readonly index: number
  readonly line: Buffer
  /** The value of the header `idempotency-key` in the input of the aggregate. It is the same each time. */
  readonly key: string
}

/** The result of an item as it is stored. */
export interface ItemResult {
  readonly kind: keyof ResultCounts
  /** One line of JSON. */
  readonly text: string
  /** The failure; undefined for a reply. */
  readonly problem: Problem | undefined
}

/** The services that the items of an app use. */
export interface ItemServices {
  readonly runtime: Runtime
  /** The part of the outcomes in the results, for aggregates without a level. */
  readonly level: SourcesLevel
  /** Called with each event of each run. @default no listener */
  readonly onEvent?: OnEvent | undefined
  /** Counts a run that starts, in the load of the service. Returns a function that counts its end. @default not counted */
  readonly countRun?: () => (error?: unknown) => void
}

/** The largest result of one item, in bytes. A chunk of results is in memory until it is written. */
export const maxResultBytes = 262_144

/** The calls of all items share one part of the permits of an upstream, with the weight of low criticality. */
const flow: CallFlow = Object.freeze({ weight: 1 })

/**
 * Runs the aggregate for one item.
 *
 * @returns The reply or the failure as a line.
 * @throws The reason of the signal, if it is aborted.
 */
export async function runItem(item: BulkItem, services: ItemServices, signal: AbortSignal): Promise<ItemResult> {
  const { aggregate, index } = item
  const level = aggregate.route.sources ?? services.level
  try {
    const reply = await runAggregate(item, services, signal)
    return repliedItem(item, reply, level)
  } catch (error) {
    signal.throwIfAborted()
    return failedItem(index, toProblem(error), level)
  }
}

async function runAggregate(
  { aggregate, line, key }: BulkItem,
  { runtime, onEvent, countRun }: ItemServices,
  signal: AbortSignal,
): Promise<Reply<unknown, string>> {
  const input = parseLine(line)
  const faults = inputFaults({ name: aggregate.name, aggregate }, input, '', new Set())
  if (faults.length > 0) throw new Problem('INPUT_INVALID', { detail: 'The input cannot be read: see errors.', faults })
  const { params, query, body } = input as RawInput
  const run = createTracedRun(
    aggregate,
    { params: asTexts(params), query: asTexts(query), body, headers: { 'idempotency-key': key } },
    { runtime, signal, onEvent, flow },
  )
  const ended = countRun?.()
  try {
    const reply = await run.start()
    ended?.()
    return reply
  } catch (error) {
    ended?.(error)
    throw error
  }
}

function repliedItem(
  { aggregate, index }: BulkItem,
  { data, complete, sources, status = 200 }: Reply<unknown, string>,
  level: SourcesLevel,
): ItemResult {
  const head = JSON.stringify({ index, status, complete, ...(!complete && { sources: shownSources(level, sources) }) })
  const text = `${head.slice(0, -1)},"value":${writeJson(data ?? null, hasBigint(aggregate.schema))}}\n`
  if (Buffer.byteLength(text) <= maxResultBytes)
    return { kind: complete ? 'succeeded' : 'partial', text, problem: undefined }
  const detail = `The result has more than ${maxResultBytes} bytes, which is the most of one item.`
  return failedItem(index, new Problem('UPSTREAM_TOO_LARGE', { detail }), level)
}

function failedItem(index: number, problem: Problem, level: SourcesLevel): ItemResult {
  const shown = shownProblem(problem, level)
  return { kind: 'failed', text: `${JSON.stringify({ index, status: shown.statusCode, problem: shown })}\n`, problem }
}
