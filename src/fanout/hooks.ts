import type { ReplyExtras } from './on-reply.ts'
import type { Step } from './step.ts'

/** The functions of an aggregate that run before and after its steps. */
export interface Hooks {
  /** The step of context(). It runs before all other steps, and its value is their context. */
  readonly context: Step | undefined
  readonly onReply: ((args: never) => PromiseLike<ReplyExtras | undefined> | ReplyExtras | undefined) | undefined
}

/** Creates the step of context(). Its index is -1. It has events and an outcome only if it makes a call or fails. */
export function contextStep(aggregate: string, handler: Step['handler']): Step {
  if (typeof handler !== 'function')
    throw new TypeError(`aggregate '${aggregate}': context() needs a function that returns the context`)
  return Object.freeze({
    name: 'context',
    index: -1,
    kind: 'required',
    handler,
    needs: [],
    timeout: undefined,
    fallback: undefined,
    concurrency: Infinity,
    maxItems: 100,
    overflow: 'error',
    minSuccess: undefined,
    isFrozen: false,
    count: 1,
    next: undefined,
  })
}
