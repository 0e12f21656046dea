import { facts } from './data/facts.ts'
import type { DemoRoute } from './route.ts'
import { shuffle } from './random.ts'
import { wholeNumber } from './whole-number.ts'

/** Returns the routes of meowfacts: some facts. They are in English, whatever language the request asks for. */
export function meowfacts(seed: number): DemoRoute[] {
  const shuffled = shuffle(facts, seed)

  return [
    {
      path: '/',
      answer({ query, number }) {
        const count = wholeNumber(query.get('count'), 1, shuffled.length)
        // A request continues after the facts of the previous request with the same count. So successive requests do
        // not return the same fact too soon.
        const start = (number * count) % shuffled.length
        return { body: { data: [...shuffled.slice(start), ...shuffled.slice(0, start)].slice(0, count) } }
      },
    },
  ]
}
