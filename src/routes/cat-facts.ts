import { catfactNinja } from '../clients/catfact-ninja.ts'
import { meowfacts } from '../clients/meowfacts.ts'
import { theCatApi } from '../clients/the-cat-api.ts'
import { aggregate, times } from '../fanout/aggregate.ts'
import { CatFacts, CatFactsQuery, type CatFact, type MeowFacts, type NinjaFact } from '../schemas/cat-fact.ts'
import type { CatPicture } from '../schemas/cat-picture.ts'

export const catFacts = aggregate('cat-facts', {
  url: '/v1/cat-facts',
  query: CatFactsQuery,
  deadline: 800,
  batch: true,
  summary: 'Cat facts from two sources, with a picture',
})
  .each('ninja', ({ query }) => times(query.count, () => catfactNinja.fact({ max_length: query.max_length })))
  .optional('meow', ({ query }) => meowfacts.facts({ count: query.count }), { fallback: { data: [] } })
  .optional('picture', () => theCatApi.randomImage(), { fallback: null })
  .reply(CatFacts, ({ query, ninja, meow, picture }) => mergeCatFacts(query.max_length, ninja, meow, picture))

/**
 * Merges the facts of both sources into one list without duplicates. Facts of catfact.ninja are first. Removes facts
 * that are longer than `maxLength`, because meowfacts cannot limit their length.
 */
function mergeCatFacts(
  maxLength = Infinity,
  ninja: readonly NinjaFact[],
  meow: MeowFacts,
  picture: CatPicture | null,
): CatFacts {
  const told = new Map<string, CatFact>()
  for (const [source, texts] of [
    ['catfact-ninja', ninja.map(({ fact }) => fact)],
    ['meowfacts', meow.data],
  ] as const) {
    for (const text of texts) {
      const key = text.trim().toLowerCase()
      if (text.length <= maxLength && !told.has(key)) told.set(key, { text, length: text.length, source })
    }
  }
  return { facts: [...told.values()], picture }
}
