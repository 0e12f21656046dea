import { catFacts } from './cat-facts.ts'

/** Every aggregate that is served when none are given. */
export const aggregates = [catFacts] as const
