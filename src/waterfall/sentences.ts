import { timeText } from './axis.ts'
import { endOf } from './bars.ts'
import type { KeptAttempt, KeptCall, KeptMark, KeptRun, KeptWait, WaitReason } from './kept-run.ts'
import type { TimedStep } from './timeline.ts'

/** Returns the run in one sentence: `cat-facts ended as partial with the status 200 after 812 ms of 800 ms.` */
export function sentenceOfRun(
  run: Pick<KeptRun, 'aggregate' | 'state' | 'status' | 'code' | 'ms' | 'deadline' | 'caller'>,
): string {
  const { aggregate, state, status, code, ms, deadline, caller } = run
  const reply = [code, status === null ? null : `status ${status}`].filter(part => part !== null).join(', ')
  const left = { waited: '', left: ' The caller left before the reply.', cut: ' The caller did not read the reply.' }
  return (
    `${aggregate} ended as ${state}${reply === '' ? '' : ` (${reply})`} after ${timeText(ms)}; ` +
    `its deadline was ${timeText(deadline)}.${left[caller]}`
  )
}

/** Returns a step in one sentence: `meow (optional): fallback, DEADLINE_EXCEEDED; from 0.3 ms to 800 ms; 1 call.` */
export function sentenceOfStep({ name, kind, needs, state, code, start, end, fault, calls }: TimedStep): string {
  const after = needs.length === 0 ? '' : `, after ${needs.join(' and ')}`
  const head = `${name} (${kind}${after}): `
  if (start === null) return `${head}${state}; it did not start.`
  const time =
    end === null ? `since ${timeText(start)}` : `${timeText(end - start)}, from ${timeText(start)} to ${timeText(end)}`
  const parts = [
    code === null ? state : `${state} with ${code}`,
    time,
    calls.length === 0 ? 'no call' : calls.length === 1 ? '1 call' : `${calls.length} calls`,
    ...(fault === null ? [] : [`rehearsed fault ${fault}`]),
  ]
  return `${head}${parts.join('; ')}.`
}

/** Returns what a call did, in the order of time: its waits, its attempts and its end. */
export function sentenceOfCall(call: KeptCall): string {
  const parts = [
    ...call.waits.map(wait => ({ at: wait.start, text: waitText(wait) })),
    ...call.attempts.map(attempt => ({ at: attempt.start, text: attemptText(attempt, call) })),
    ...call.marks.map(mark => ({ at: mark.at, text: markText(mark) })),
  ]
    .toSorted((one, other) => one.at - other.at)
    .map(({ text }) => text)
  const end = callEnd(call)
  return `${[...parts, ...(end === '' ? [] : [end])].join('; ')}.`
}

const waits: Readonly<Record<WaitReason, string>> = {
  permit: 'for a permit',
  token: 'for a token',
  retry: 'before the retry',
  shared: 'for an equal call',
  keys: 'for its batch of keys',
}

/** Returns a wait as text: `waited 610 ms for a permit`. */
export function waitText({ reason, start, end }: KeptWait): string {
  return `waited ${timeText(end - start)} ${waits[reason]}`
}

const ends = {
  answered: 'answered',
  failed: 'failed',
  cancelled: 'cancelled',
  outrun: 'cancelled, because another attempt had answered,',
  open: 'had no answer when the run ended',
} as const

/** Returns an attempt as text: `attempt 2 (hedge) at 98 ms: answered 200 after 31 ms`. */
export function attemptText(attempt: KeptAttempt, call: Pick<KeptCall, 'attempts'>): string {
  const { number, kind, start, end, status, code } = attempt
  const how = endOf(attempt, call)
  const what = [ends[how], ...(how === 'failed' ? [`with ${code}`] : []), ...(status === null ? [] : [status])].join(
    ' ',
  )
  return (
    `attempt ${number}${kind === 'first' ? '' : ` (${kind})`} at ${timeText(start)}: ` +
    `${what}${end === null ? '' : ` after ${timeText(end - start)}`}`
  )
}

const reasons: Readonly<Record<KeptMark['reason'], string>> = {
  budget: 'the retry budget was used up',
  deadline: 'too little time was left',
  'retry-after': 'the upstream asked for a pause above 30 s',
  permit: 'no permit was free',
  breaker: 'the circuit breaker was open',
}

/** Returns a mark as text: `hedge not sent at 700 ms: the retry budget was used up`. */
export function markText({ at, what, reason }: KeptMark): string {
  return `${what} at ${timeText(at)}: ${reasons[reason]}`
}

/** Returns the end of a call as far as its attempts do not show it. */
function callEnd({ attempts, marks, start, end, code, cache }: KeptCall): string {
  if (cache === 'hit') return 'answered from the cache'
  if (cache === 'stale') return 'answered with a stale entry of the cache'
  if (end === null) return attempts.length > 0 ? '' : 'had not ended when the run ended'
  if (code === null) return attempts.length > 0 ? '' : `answered after ${timeText(end - start)}`
  if (attempts.some(attempt => attempt.code === code) || marks.some(({ what }) => what === 'call refused')) return ''
  return `ended with ${code} at ${timeText(end)}`
}
