import { UpstreamError } from '../errors.ts'
import { Call } from '../upstream/call/call.ts'
import type { AnswerCompletion, AskedCalls } from './asked-calls.ts'
import { labelOf, type Step, type StepKind } from './step.ts'

/** Sends a call that the function of a step or of context() passes to `ask`, and returns a promise of its answer. */
export function answerOf(
  call: unknown,
  send: (call: Call<unknown>, completion: AnswerCompletion) => void,
): Promise<unknown> {
  const answer = new Promise((resolve, reject) => {
    if (call instanceof Call) send(call, { resolve, reject })
    else reject(new TypeError('ask takes a call: ask(upstream.operation(input))'))
  })
  // The answer may fail while the function awaits another answer. Without this handler the rejection is unhandled
  // and ends the process. The code that awaits the answer later still gets the error.
  answer.catch(() => {})
  return answer
}

/** The options that set `maxItems`, by the kind of step. Steps of other kinds have a fixed limit. */
const limits: Readonly<Partial<Record<StepKind, string>>> = { each: 'maxItems', pages: 'maxPages' }

/** Returns the error of a step that asks more calls than its limit; undefined if it may ask one more. */
export function overLimit(
  { name, kind, maxItems }: Step,
  asked: AskedCalls,
  hasUpstreamInput: boolean,
): UpstreamError | undefined {
  if (asked.count < maxItems) return undefined
  const code = hasUpstreamInput ? 'UPSTREAM_TOO_MANY_ITEMS' : 'TOO_MANY_ITEMS'
  const fix = limits[kind] === undefined ? 'move the calls to an each with maxItems' : `raise ${limits[kind]}`
  return new UpstreamError(code, name, { detail: `more than ${maxItems} calls by ask: ${fix}` })
}

/** Returns the error of an `ask` that is called after the function of its step has returned. */
export function lateAsk(step: Step): TypeError {
  return new TypeError(
    `${labelOf(step)}: ask was called after its function had returned: await ask(call) before it returns`,
  )
}

/** Returns the error of an `ask` of context() in the merge of a snapshot. */
export function askInSnapshot(): TypeError {
  return new TypeError(
    'context(): ask was called in the merge of a snapshot, which sends no calls: ' +
      'ask in a step, or give reply() the option snapshot',
  )
}
