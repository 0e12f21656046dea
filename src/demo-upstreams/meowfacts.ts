import { facts } from './data/facts.ts'
import type { DemoRoute } from './route.ts'
import { shuffle } from './random.ts'
import { wholeNumber } from './whole-number.ts'

/** Returns the routes of meowfacts: some facts, in English whatever language is asked for. */
export function meowfacts(seed: number): DemoRoute[] {
  const shuffled = shuffle(facts, seed)

  return [
    {
      path: '/',
      answer({ query, number }) {
        const count = wholeNumber(query.get('count'), 1, shuffled.length)
        // Each request goes on where one like it ended, so that a run of them does not meet a fact twice too soon.
        const start = (number * count) % shuffled.length
        return { body: { data: [...shuffled.slice(start), ...shuffled.slice(0, start)].slice(0, count) } }
      },
    },
  ]
}
