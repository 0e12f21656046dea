import type { AfterReply } from './on-reply.ts'
import type { Step } from './step.ts'

/** What an author has happen around the steps. */
export interface Hooks {
  /** Runs as a required step does, before all others; its value is their context. */
  readonly before: Step | undefined
  readonly after: ((seen: never) => PromiseLike<AfterReply | undefined> | AfterReply | undefined) | undefined
}

/** Makes the step that stands before all steps; as no line of the declaration it has no place, and nobody is told of it. */
export function beforeStep (aggregate: string, ask: Step['ask']): Step {
  if (typeof ask !== 'function') throw new TypeError(`aggregate '${aggregate}': before needs a function that returns the context`)
  return Object.freeze({
    name: 'before', index: -1, kind: 'required', ask, needs: [], timeout: undefined, fallback: undefined, width: 1, maxItems: 1, atLeast: undefined, isFrozen: false, count: 1,
  })
}
