import { isChain, isItem } from './chain.ts'
import { findCall } from './held-call.ts'
import { labelOf, type Step } from './step.ts'

/**
 * Returns the fault of a value that the function of a step without a list, or of context(), has returned; undefined if
 * the value is not a chain, not a list of calls, and has no call at its first level.
 */
export function returnFault(step: Step, returned: unknown): string | undefined {
  if (isChain(returned)) return `${labelOf(step)} returned a chain: use each, and return a list`
  if (Array.isArray(returned)) {
    if (!returned.some(isItem)) return undefined
    return `${labelOf(step)} returned several calls: use ${step.index < 0 ? 'ask' : 'each or firstOf'}`
  }
  const call = findCall(returned, 1)
  return call && `${labelOf(step)} returned an object with the call ${call}: use await ask(call)`
}

/** Returns the fault of a step that has returned `skip` and has no value for it. */
export function skipFault(step: Step): string {
  if (step.index < 0) return 'context() cannot skip: return a value or a call'
  return `${labelOf(step)} is ${step.kind} and cannot skip: make it optional`
}
