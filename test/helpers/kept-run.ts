import { randomUUID } from 'node:crypto'
import type { KeptCall, KeptRun, KeptStep, RunRow } from '../../src/waterfall/kept-run.ts'

/** A row of the list of runs; fields that do not matter have values of a run without losses. */
export function runRow(fields: Partial<RunRow> = {}): RunRow {
  return {
    id: randomUUID(),
    requestId: 'req-1',
    traceId: null,
    worker: null,
    aggregate: 'cat-facts',
    at: '2026-11-30T01:02:03.004Z',
    ms: 40,
    state: 'complete',
    status: 200,
    code: null,
    isSlow: false,
    caller: 'waited',
    upstreams: [],
    lost: [],
    ...fields,
  }
}

export function keptRun(fields: Partial<KeptRun> = {}): KeptRun {
  return {
    ...runRow(fields),
    method: 'GET',
    target: '/v1/cat-facts?count=3',
    deadline: 800,
    stream: null,
    parent: null,
    why: [],
    steps: [],
    omitted: { calls: 0, entries: 0 },
    ...fields,
  }
}

type StepFields = Partial<Omit<KeptStep, 'outcome'>> & { readonly outcome?: Partial<KeptStep['outcome']> }

export function keptStep({ outcome, ...fields }: StepFields = {}): KeptStep {
  return {
    name: 'meow',
    kind: 'optional',
    needs: [],
    outcome: { state: 'ok', start: 0, ms: 40, attempts: 1, code: null, fault: null, ...outcome },
    calls: [],
    ...fields,
  }
}

export function keptCall(fields: Partial<KeptCall> = {}): KeptCall {
  return {
    call: 0,
    operation: 'meowfacts.facts',
    method: 'GET',
    path: '/?count=3',
    start: 0,
    end: 40,
    status: 200,
    code: null,
    cache: null,
    waits: [],
    attempts: [],
    marks: [],
    ...fields,
  }
}
