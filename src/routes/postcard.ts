import { catfactNinja } from '../clients/catfact-ninja.ts'
import { meowfacts } from '../clients/meowfacts.ts'
import { theCatApi } from '../clients/the-cat-api.ts'
import { aggregate } from '../fanout/aggregate.ts'
import { Postcard, PostcardOrder } from '../schemas/postcard.ts'

/** Whichever source is first to answer well is taken, and the others are stopped. */
export const postcard = aggregate('postcard', {
  url: '/v1/postcards',
  body: PostcardOrder,
  deadline: 800,
  summary: 'A greeting with the first fact and the first picture that come',
})
  .firstOf('fact', ({ body }) => [catfactNinja.fact({ max_length: body.max_length }), meowfacts.facts({ count: 1 })])
  .firstOf('picture', ({ body }) => body.breeds.map(id => theCatApi.breedImage({ breed_ids: id })))
  .reply(Postcard, ({ body, fact, picture }) => {
    const text = 'fact' in fact ? fact.fact : fact.data.join(' ')
    return { greeting: body.greeting, fact: text, picture }
  })
