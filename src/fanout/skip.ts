import type { Skip } from './inference.ts'

/** The value that an optional step or an `each` returns if it has no call to make. */
export const skip: Skip = Object.freeze({}) as Skip
