import type { Abort } from '../core/abort.ts'
import type { ReadInput } from './input.ts'

/**
 * The one flat object that a hook, a step or a merge is given: the input, the context, and the values it needs under
 * their names.
 */
export class StepArgs {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly headers: unknown
  /** Only there where `before` made one. */
  declare readonly context?: unknown
  readonly #abort: Abort

  constructor({ params, query, body, headers }: ReadInput, abort: Abort, context: unknown) {
    this.params = params
    this.query = query
    this.body = body
    this.headers = headers
    if (context !== undefined) this.context = context
    this.#abort = abort
  }

  /** Made when first asked for, since most steps never ask. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }
}
