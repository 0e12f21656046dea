import { AsyncLocalStorage } from 'node:async_hooks'
import type { OperationSpec } from '../spec/spec.ts'
import type { Call } from './call.ts'
import type { Fields } from './parse-input.ts'

/** An explanation in progress, in which the inputs of calls may have values that are not known. */
export interface Explaining {
  /**
   * Returns the call for an input that the operation has refused.
   *
   * @throws The error, if the input has only values that are known.
   */
  callOf(spec: OperationSpec, input: Fields, error: unknown): Call<unknown>
}

/** The explanation that the current code belongs to, also after an `await`. It is read only when a call is refused. */
export const currentExplanation = new AsyncLocalStorage<Explaining>()
