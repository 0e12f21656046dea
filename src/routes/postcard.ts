import { catfactNinja } from '../clients/catfact-ninja.ts'
import { meowfacts } from '../clients/meowfacts.ts'
import { theCatApi } from '../clients/the-cat-api.ts'
import { aggregate, refuse } from '../fanout/aggregate.ts'
import { Postcard, PostcardOrder } from '../schemas/postcard.ts'

/** Uses the fact of the source that answers first, and cancels the call to the other source. */
export const postcard = aggregate('postcard', {
  url: '/v1/postcards',
  body: PostcardOrder,
  deadline: 800,
  description: 'If none of the breeds has a picture, the status is 404.',
  summary: 'A greeting with the first available fact and a picture of a breed',
})
  .firstOf('fact', () => [catfactNinja.fact(), meowfacts.facts({ count: 1 })])
  .each('pictures', ({ body }) => body.breeds.map(id => theCatApi.breedImages({ breed_ids: id, limit: 1 })), {
    minSuccess: 1,
    fallback: [],
  })
  .reply(Postcard, ({ body, fact, pictures }) => {
    const [picture = refuse(404, 'None of these breeds has a picture.')] = pictures.flat()
    return { greeting: body.greeting, fact: 'fact' in fact ? fact.fact : fact.data.join(' '), picture }
  })
