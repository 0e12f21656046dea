import { createCallDraft, markRefusedCall, type CallDraft } from '../waterfall/call-draft.ts'
import type { KeptAttempt, KeptCall, KeptMark, WaitReason } from '../waterfall/kept-run.ts'
import { codeOfNumber } from './codes.ts'
import { attemptKinds, cacheUses, refusals, unpacked } from './packed-values.ts'
import { Entry, numbersOfEntry } from './tape.ts'
import type { DescribedOperation } from './described.ts'
import type { StoredRun } from './stored-run.ts'

/** A call of a kept run, with its step and its operation. */
export interface ReadCall {
  /** The index of the step; -1 for context(). */
  readonly step: number
  readonly described: DescribedOperation
  readonly call: KeptCall
}

const waitReasons = new Map<number, WaitReason>([
  [Entry.waitedForPermit, 'permit'],
  [Entry.waitedForToken, 'token'],
  [Entry.waitedForRetry, 'retry'],
  [Entry.joined, 'shared'],
  [Entry.joinedKeys, 'keys'],
])

/** Reads the calls of a kept run, in the order in which they were sent. Their paths are not redacted. */
export function readCalls(run: StoredRun): readonly ReadCall[] {
  const { numbers, operations, paths } = run
  const calls: ReadCall[] = []
  const drafts = new Map<string, CallDraft>()
  for (let at = 0; at < numbers.length; at += numbersOfEntry) {
    const head = numbers[at] as number
    const kind = head % 16
    if (kind === Entry.stepStarted || kind === Entry.stepEnded) continue
    const step = Math.floor(head / 16) - 1
    const call = numbers[at + 1] as number
    const time = numbers[at + 2] as number
    const value = numbers[at + 3] as number
    const key = `${step}.${call}`
    if (kind === Entry.sent) {
      const described = operations[value] as DescribedOperation
      const { name: operation, method } = described
      const path = paths[value] as string
      const draft = createCallDraft({ call, operation, method, path, start: rounded(time) })
      drafts.set(key, draft)
      calls.push({ step, described, call: draft })
      continue
    }
    // The event of a call above the limit has no call here.
    const draft = drafts.get(key)
    if (draft !== undefined) addEntry(draft, kind, time, value)
  }
  // A wait for another call ends with the call, or with the run.
  for (const draft of drafts.values())
    for (const wait of draft.waits) if (wait.end === Infinity) wait.end = draft.end ?? rounded(run.ms)
  return calls
}

function addEntry(draft: CallDraft, kind: number, time: number, value: number): void {
  const at = rounded(time)
  const reason = waitReasons.get(kind)
  if (reason === 'shared' || reason === 'keys') draft.waits.push({ reason, start: at, end: Infinity })
  else if (reason !== undefined) draft.waits.push({ reason, start: rounded(time - value), end: at })
  else if (kind === Entry.attemptStarted) {
    const [attemptKind, number] = unpacked(value)
    draft.attempts.push({
      number,
      kind: attemptKinds[attemptKind] as KeptAttempt['kind'],
      start: at,
      end: null,
      status: null,
      code: null,
    })
  } else if (kind === Entry.attemptEnded) {
    const [code, number, status] = unpacked(value)
    const attempt = draft.attempts.find(each => each.number === number && each.end === null)
    if (attempt !== undefined) Object.assign(attempt, { end: at, status: status || null, code: codeOfNumber(code) })
  } else if (kind === Entry.refused) {
    const [attemptKind, refusal] = unpacked(value)
    const what = attemptKinds[attemptKind] === 'hedge' ? 'hedge not sent' : 'retry not sent'
    draft.marks.push({ at, what, reason: refusals[refusal] as KeptMark['reason'] })
  } else endCall(draft, at, value)
}

function endCall(draft: CallDraft, at: number, value: number): void {
  const [code, cache, status] = unpacked(value)
  draft.end = at
  draft.status = status || null
  draft.code = codeOfNumber(code)
  draft.cache = cacheUses[cache - 1] ?? null
  markRefusedCall(draft, at)
}

/** Rounds to a tenth of a millisecond, as `sources` does. */
export function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
