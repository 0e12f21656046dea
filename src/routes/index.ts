import { breed } from './breed.ts'
import { catFacts } from './cat-facts.ts'
import { postcard } from './postcard.ts'

/** Every aggregate that is served when none are given. */
export const aggregates = [catFacts, breed, postcard] as const
