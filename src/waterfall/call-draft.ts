import type { KeptAttempt, KeptCall, KeptMark, KeptWait } from './kept-run.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The times of a call while its events are read. */
export interface CallDraft extends Mutable<Omit<KeptCall, 'waits' | 'attempts' | 'marks'>> {
  readonly waits: Mutable<KeptWait>[]
  readonly attempts: Mutable<KeptAttempt>[]
  readonly marks: KeptMark[]
}

/** The codes of calls that were refused before their first attempt, and the reason of the refusal. */
const refusals = new Map<string | null, KeptMark['reason']>([
  ['BREAKER_OPEN', 'breaker'],
  ['BULKHEAD_FULL', 'permit'],
])

/** Creates the times of a call that has started, and has no other event yet. */
export function createCallDraft(
  sent: Pick<KeptCall, 'call' | 'operation' | 'start'> & Partial<Pick<KeptCall, 'method' | 'path'>>,
): CallDraft {
  const { call, operation, method = '', path = '', start } = sent
  return {
    call,
    operation,
    method,
    path,
    start,
    end: null,
    status: null,
    code: null,
    cache: null,
    waits: [],
    attempts: [],
    marks: [],
  }
}

/** Adds the mark of a call that was refused before its first attempt. A call with another end gets none. */
export function markRefusedCall({ code, attempts, marks }: CallDraft, at: number): void {
  const reason = attempts.length === 0 ? refusals.get(code) : undefined
  if (reason !== undefined) marks.push({ at, what: 'call refused', reason })
}
