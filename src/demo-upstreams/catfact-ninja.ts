import { breeds } from './data/breeds.ts'
import { facts } from './data/facts.ts'
import { page } from './page.ts'
import type { DemoRoute } from './route.ts'
import { shuffle } from './random.ts'
import { wholeNumber } from './whole-number.ts'

const listing = breeds.map(({ name, listing }) => ({ breed: name, ...listing }))

/** Returns the routes of catfact.ninja: one fact, pages of facts, pages of breeds. */
export function catfactNinja(seed: number): DemoRoute[] {
  const entries = shuffle(facts, seed).map(fact => ({ fact, length: fact.length }))

  function entriesUpTo(maxLength: string | null) {
    const limit = wholeNumber(maxLength, Infinity, Infinity)
    return limit === Infinity ? entries : entries.filter(({ length }) => length <= limit)
  }

  return [
    {
      path: '/fact',
      answer({ query, number }) {
        const fitting = entriesUpTo(query.get('max_length'))
        // The number selects the fact, so that successive requests do not return the same fact too soon.
        const entry = fitting[number % fitting.length]
        return entry === undefined ? { status: 404, body: { message: 'Not Found', code: 404 } } : { body: entry }
      },
    },
    { path: '/facts', answer: request => ({ body: page(entriesUpTo(request.query.get('max_length')), request) }) },
    { path: '/breeds', answer: request => ({ body: page(listing, request) }) },
  ]
}
