import type { Abort } from '../core/abort.ts'

/**
 * The argument of a hook, a step or a merge, as one flat object: the input, the context, and the values it needs under
 * their names.
 */
export class StepArgs {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly headers: unknown
  /** Present only if context() returned a value. */
  declare readonly context?: unknown
  readonly #abort: Abort

  constructor(
    { params, query, body, headers }: Readonly<Record<'params' | 'query' | 'body' | 'headers', unknown>>,
    abort: Abort,
    context: unknown,
  ) {
    this.params = params
    this.query = query
    this.body = body
    this.headers = headers
    if (context !== undefined) this.context = context
    this.#abort = abort
  }

  /** Created on first use, since most steps never use it. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }
}
