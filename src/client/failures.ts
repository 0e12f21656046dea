import type { ProblemBody, ProblemEvent } from './types.ts'

/** The failure of a request that was answered: a status from 400, or the event `problem`. */
export class StreamProblem extends Error {
  /** The name of the class. */
  override readonly name = 'StreamProblem'
  /** The status of the answer, or of the event. */
  readonly status: number
  /** The headers of the answer, or of the event, by lower-case name. */
  readonly headers: ProblemEvent['headers']
  /** The description of the failure (RFC 9457); undefined if the answer is not JSON, as that of some proxies. */
  readonly problem: ProblemBody | undefined

  /**
   * Creates a problem.
   *
   * @param event The status, the headers, and the body if it is JSON.
   */
  constructor({ status, headers, body }: Pick<ProblemEvent, 'status' | 'headers'> & { readonly body?: ProblemBody }) {
    super(body === undefined ? `the answer has the status ${status}` : `${status} ${body.title}: ${body.detail}`)
    this.status = status
    this.headers = headers
    this.problem = body
  }

  /** The value of `retry-after`, in seconds; undefined if the answer does not have it. */
  get retryAfter(): number | undefined {
    const seconds = Number(this.headers['retry-after'] ?? NaN)
    return seconds >= 0 ? seconds : undefined
  }
}

/** The failure of a request without an answer, or of a stream that ended before its last event. */
export class StreamCut extends Error {
  /** The name of the class. */
  override readonly name = 'StreamCut'
}
