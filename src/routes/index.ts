import { breed } from './breed.ts'
import { catFacts } from './cat-facts.ts'
import { postcard } from './postcard.ts'

/** The built-in aggregates. They are used if no definitions are given. */
export const aggregates = [catFacts, breed, postcard] as const
