import type { ReplyExtras } from './on-reply.ts'
import type { Step } from './step.ts'

/** What an author has happen around the steps. */
export interface Hooks {
  /** Runs as a required step does, before all others; its value is their context. */
  readonly context: Step | undefined
  readonly onReply: ((seen: never) => PromiseLike<ReplyExtras | undefined> | ReplyExtras | undefined) | undefined
}

/**
 * Makes the step that stands before all steps; as no line of the declaration it has no place, and nobody is told of it.
 */
export function contextStep(aggregate: string, author: Step['author']): Step {
  if (typeof author !== 'function')
    throw new TypeError(`aggregate '${aggregate}': context() needs a function that returns the context`)
  return Object.freeze({
    name: 'context',
    index: -1,
    kind: 'required',
    author,
    needs: [],
    timeout: undefined,
    fallback: undefined,
    concurrency: 1,
    maxItems: 1,
    minSuccess: undefined,
    isFrozen: false,
    count: 1,
  })
}
