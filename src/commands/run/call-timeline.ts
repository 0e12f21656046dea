import type { CallEvent } from '../../upstream/call/events.ts'
import { createCallDraft, markRefusedCall, type CallDraft } from '../../waterfall/call-draft.ts'

/** The times of the calls of a step, by the number of the call. */
export type LiveCalls = Map<number, CallDraft>

/** The largest number of calls of a step that are drawn. Each frame draws all of them. */
const mostCalls = 5000

/** Adds an event to the times of its call. The first event of a call adds the call. */
export function addCallEvent(calls: LiveCalls, event: CallEvent): void {
  if (calls.size === mostCalls && !calls.has(event.call)) return
  const { at } = event
  switch (event.type) {
    case 'call waited': {
      const start = at - event.ms
      callOf(calls, event, start).waits.push({ reason: event.reason, start, end: at })
      break
    }
    case 'attempt started': {
      const { attempt: number, kind } = event
      callOf(calls, event, at).attempts.push({ number, kind, start: at, end: null, status: null, code: null })
      break
    }
    case 'attempt ended':
      for (const attempt of callOf(calls, event, at).attempts) {
        if (attempt.number === event.attempt) endAttempt(attempt, at, event)
      }
      break
    case 'call joined':
      callOf(calls, event, at).waits.push({ reason: event.reason, start: at, end: Infinity })
      break
    case 'resend refused':
      callOf(calls, event, at).marks.push({ at, what: `${event.kind} not sent`, reason: event.reason })
      break
    case 'call ended':
      endCall(callOf(calls, event, at), event)
      break
  }
}

/** Returns the times of the call of an event. */
function callOf(calls: LiveCalls, { call, operation }: CallEvent, start: number): CallDraft {
  const found = calls.get(call)
  if (found !== undefined) return found
  const created = createCallDraft({ call, operation, start })
  calls.set(call, created)
  return created
}

function endAttempt(
  attempt: CallDraft['attempts'][number],
  at: number,
  { status, code }: { readonly status: number | undefined; readonly code: string | undefined },
): void {
  attempt.end = at
  attempt.status = status ?? null
  attempt.code = code ?? null
}

function endCall(call: CallDraft, { at, status, code, cached }: CallEvent & { readonly type: 'call ended' }): void {
  call.end = at
  call.status = status ?? null
  call.code = code ?? null
  call.cache = cached?.cache ?? null
  markRefusedCall(call, at)
  for (const wait of call.waits) wait.end = Math.min(wait.end, at)
  for (const attempt of call.attempts) {
    if (attempt.end === null) endAttempt(attempt, at, { status, code })
  }
}
