import { redactedPath } from '../core/redacted-path.ts'
import type { KeptRun, RunRow } from '../waterfall/kept-run.ts'
import { withHiddenIds } from './described.ts'
import { readCalls, rounded } from './read-calls.ts'
import { readSteps, withCalls } from './read-steps.ts'
import type { StoredRun } from './stored-run.ts'
import { why } from './why.ts'

/** The parts of the process that a kept run shows, and the removal of secrets from its texts. */
export interface ReadOptions {
  /** The number of the worker; `null` in a service of one process. */
  readonly worker: number | null
  /** Returns a text without the secrets of the service. */
  readonly hide: (text: string) => string
}

/** Returns a kept run as the operator reads it, without secrets. */
export function keptRunOf(stored: StoredRun, options: ReadOptions): KeptRun {
  const { hide } = options
  const run = readable(stored, hide)
  const { request, described, deadline, omittedCalls, omittedEntries } = run
  const calls = readCalls(run)
  for (const { call, described: operation } of calls)
    Object.assign(call, { path: redactedPath(hide(call.path), operation.template) })
  const steps = readSteps(run)
  return {
    ...runRowOf(stored, options),
    method: request.method,
    target: redactedPath(hide(request.target), described.url),
    deadline,
    stream: request.stream ?? null,
    parent: request.parent ?? null,
    why: why(run, steps, calls),
    steps: withCalls(steps, calls),
    omitted: { calls: omittedCalls, entries: omittedEntries },
  }
}

/** Returns the row of a kept run. */
export function runRowOf(stored: StoredRun, { worker, hide }: ReadOptions): RunRow {
  const run = readable(stored, hide)
  const { id, request, described, startedAt, ms, state, status, code, caller, operations } = run
  return {
    id,
    requestId: request.requestId === undefined ? null : hide(request.requestId),
    traceId: request.traceId ?? null,
    worker,
    aggregate: described.name,
    at: new Date(startedAt).toISOString(),
    ms: rounded(ms),
    state,
    status,
    code,
    isSlow: run.class === 'slow',
    caller,
    upstreams: [...new Set(operations.map(({ upstream }) => upstream))],
    lost: readSteps(run).flatMap(({ described: step, outcome }) => {
      const lostCode = outcome.code ?? outcome.failedCode
      return outcome.state === 'ok' || outcome.state === 'skipped' || lostCode === null
        ? []
        : [{ step: step.name, code: lostCode }]
    }),
  }
}

/** Returns a run without secrets in the names of its steps. The caller chooses those of a batch. */
function readable(run: StoredRun, hide: (text: string) => string): StoredRun {
  return run.outcomes === undefined ? { ...run, described: withHiddenIds(run.described, hide) } : run
}
