import { hasBigint } from '../core/json/needs-exact.ts'
import { writeJson } from '../core/json/write.ts'
import type { Problem } from '../errors.ts'
import type { Reply } from '../fanout/reply.ts'
import { shownProblem } from '../fanout/shown-problem.ts'
import { shownSources } from '../fanout/shown-sources.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import type { BatchCall } from './batch-call.ts'
import type { OfferedAggregate, OfferedOperation } from './offer.ts'
import type { AnsweredResult, FailedResult, WrittenResult } from './result.ts'

/** A call of an operation. */
export type AnsweredCall = BatchCall & { readonly offered: OfferedOperation }

/** A call of an aggregate. */
export type RepliedCall = BatchCall & { readonly offered: OfferedAggregate }

/** Writes the result of an operation that has answered. May throw what a `toJSON` in the value throws. */
export function answeredResult(call: AnsweredCall, value: unknown, isStale: boolean): WrittenResult {
  return written(call, isStale ? 'stale' : 'ok', 200, {}, writeJson(value ?? null, hasBigint(call.offered.spec.output)))
}

/** Writes the result of an aggregate that has replied. May throw what a `toJSON` in the data throws. */
export function repliedResult(
  call: RepliedCall,
  { data, complete, sources, status = 200 }: Reply<unknown, string>,
  level: SourcesLevel,
): WrittenResult {
  const shown = shownSources(level, sources)
  return written(
    call,
    complete ? 'ok' : 'partial',
    status,
    shown === undefined ? { complete } : { complete, sources: shown },
    writeJson(data ?? null, hasBigint(call.offered.aggregate.schema)),
  )
}

/** Writes the result of a call without an answer. */
export function failedResult(
  call: BatchCall,
  state: FailedResult['state'],
  problem: Problem,
  level: SourcesLevel,
): WrittenResult {
  const shown = shownProblem(problem, level)
  const { statusCode: status, retryAfterSeconds } = shown
  const { index, id, offered } = call
  const result: FailedResult = { id, operation: offered.name, state, status, problem: shown }
  return {
    index,
    id,
    operation: offered.name,
    state,
    status,
    code: shown.authorCode ?? shown.code,
    retryAfter: retryAfterSeconds,
    text: JSON.stringify(result),
  }
}

function written(
  { index, id, offered: { name: operation } }: BatchCall,
  state: AnsweredResult['state'],
  status: number,
  ofAggregate: Pick<AnsweredResult, 'complete' | 'sources'>,
  data: string,
): WrittenResult {
  const head = JSON.stringify({ id, operation, state, status, ...ofAggregate })
  const text = `${head.slice(0, -1)},"data":${data}}`
  return { index, id, operation, state, status, code: undefined, retryAfter: undefined, text }
}
