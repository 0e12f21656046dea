import type { Abort } from '../core/abort.ts'

/** The step or the run whose function gets the arguments. */
export interface ArgsOwner {
  readonly abort: Abort
  /** Sends a call and returns a promise of its answer. A merge and onReply() have no `ask`. */
  ask?(call: unknown): Promise<unknown>
}

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
  readonly #owner: ArgsOwner

  constructor(
    { params, query, body, headers }: Readonly<Record<'params' | 'query' | 'body' | 'headers', unknown>>,
    owner: ArgsOwner,
    context: unknown,
  ) {
    this.params = params
    this.query = query
    this.body = body
    this.headers = headers
    if (context !== undefined) this.context = context
    this.#owner = owner
  }

  /** Created on first use, since most steps never use it. */
  get signal(): AbortSignal {
    return this.#owner.abort.signal
  }

  /** Created on use, since most steps never use it. */
  get ask(): ((call: unknown) => Promise<unknown>) | undefined {
    return this.#owner.ask?.bind(this.#owner)
  }
}
