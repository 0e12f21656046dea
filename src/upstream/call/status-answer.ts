import type { UpstreamError } from '../../errors.ts'
import type { Answer } from '../spec/answer.ts'
import type { OperationSpec } from '../spec/spec.ts'

interface StatusAnswer {
  readonly spec: OperationSpec
  readonly answer: Answer<unknown>
}

/**
 * The answers of attempts that failed with a status of `responses`. They are beside the errors, so that no log line and
 * no reply can contain a body of the upstream.
 */
const answers = new WeakMap<UpstreamError, StatusAnswer>()

/** Records the answer of an attempt that failed with a listed status. */
export function recordAnswer(error: UpstreamError, spec: OperationSpec, answer: Answer<unknown>): void {
  answers.set(error, { spec, answer })
}

/**
 * Returns the answer of the attempt that failed with this error. `undefined` if its status is not listed, if its body
 * could not be read, or if it is the error of another operation, which a custom layer may have kept.
 */
export function answerOf(error: unknown, spec: OperationSpec): Answer<unknown> | undefined {
  const found = answers.get(error as UpstreamError)
  return found?.spec === spec ? found.answer : undefined
}
