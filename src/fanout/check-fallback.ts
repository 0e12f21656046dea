import { isItem } from './chain.ts'
import { findCall } from './held-call.ts'
import { isThenable } from './is-thenable.ts'
import { skip } from './skip.ts'
import type { StepKind } from './step.ts'

/** The errors of kinds of steps that have no fallback. */
const refusals: Readonly<Partial<Record<StepKind, string>>> = {
  required: 'a required step cannot have a fallback: make it optional',
  firstOf: 'a firstOf cannot have a fallback: ask the calls in an optional step',
  pages: "pages cannot have a fallback: use { onLoss: 'keep' }",
}
const unsent = 'which is never sent: ask it in the function of the step'

/** Refuses a fallback of a step whose kind has none. */
export function refuseFallback(owner: string, kind: StepKind, options: object): void {
  const refusal = refusals[kind]
  if (refusal !== undefined && options !== null && Object.hasOwn(options, 'fallback'))
    throw new TypeError(`${owner}: ${refusal}`)
}

/** Refuses an `optional` and an `each` whose fallback is missing, or is not a value that the step can have. */
export function checkFallback(
  owner: string,
  kind: StepKind,
  options: { readonly minSuccess?: number; readonly fallback?: unknown },
): void {
  const isGiven = Object.hasOwn(options, 'fallback')
  if (kind === 'optional' && !isGiven)
    throw new TypeError(`${owner}: an optional step needs a fallback value: add { fallback: null }`)
  if (kind === 'each' && !isGiven && options.minSuccess !== undefined)
    throw new TypeError(`${owner}: minSuccess needs a fallback value: add { fallback: null }`)
  if (kind === 'each' && isGiven && options.minSuccess === undefined)
    throw new TypeError(`${owner}: fallback of an each needs minSuccess: add { minSuccess: 0 }`)
  const fault = faultOf(options.fallback)
  if (fault !== undefined) throw new TypeError(`${owner}: the fallback ${fault}`)
}

function faultOf(fallback: unknown): string | undefined {
  if (isItem(fallback)) return `is a call, ${unsent}`
  if (typeof fallback === 'function') return 'is a function, which is never called: write a value, such as null'
  if (isThenable(fallback)) return 'is a promise, which is never awaited: write a value, such as null'
  if (fallback === skip) return 'is skip: write a value, such as null'
  const call = findCall(fallback)
  return call && `has the call ${call}, ${unsent}`
}
