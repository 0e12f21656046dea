import { randomUUID } from 'node:crypto'
import type { StoredRun } from '../../src/kept/stored-run.ts'

export interface StoredFields extends Partial<Omit<StoredRun, 'request'>> {
  readonly aggregate?: string
  readonly requestId?: string
  readonly traceId?: string
  readonly upstreams?: readonly string[]
}

/** A run in a store, without calls and outcomes. */
export function storedRun({
  aggregate = 'a',
  requestId,
  traceId,
  upstreams = [],
  ...fields
}: StoredFields = {}): StoredRun {
  return {
    id: randomUUID(),
    described: { name: aggregate, url: '/a', steps: [] },
    request: { requestId, traceId, method: 'GET', target: '/a' },
    startedAt: 0,
    deadline: 1000,
    state: 'complete',
    class: 'complete',
    ms: 10,
    status: 200,
    code: null,
    caller: 'waited',
    numbers: new Float64Array(),
    operations: upstreams.map(upstream => ({ name: `${upstream}.get`, upstream, method: 'GET', template: '/' })),
    paths: [],
    outcomes: new Map(),
    omittedCalls: 0,
    omittedEntries: 0,
    bytes: 1000,
    ...fields,
  }
}
