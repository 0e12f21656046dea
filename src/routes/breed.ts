import { catfactNinja } from '../clients/catfact-ninja.ts'
import { theCatApi } from '../clients/the-cat-api.ts'
import { wikipedia } from '../clients/wikipedia.ts'
import { aggregate, refuse, skip } from '../fanout/aggregate.ts'
import { Breed, BreedParams, BreedQuery } from '../schemas/breed.ts'
import type { CatApiBreed } from '../schemas/cat-breed.ts'

/** Searches the breed first. Then requests its pictures, its summary and the facts at the same time. */
export const breed = aggregate('breed', {
  url: '/v1/breeds/{breed}',
  params: BreedParams,
  query: BreedQuery,
  deadline: 1200,
  batch: true,
  description:
    'If several breeds match the name, the reply describes the best match, and alsoCalled lists the ' +
    'others. If no breed matches, the status is 404.',
  summary: 'A breed with pictures, an encyclopedia summary and facts',
})
  .required('matches', ({ params }) => theCatApi.searchBreeds({ q: params.breed }))
  .required('found', ({ params, matches }) => bestFit(matches, params.breed), { needs: ['matches'] })
  .each(
    'pictures',
    ({ found }) => found.slice(0, 5).map(({ id }) => theCatApi.breedImages({ breed_ids: id, limit: 1 })),
    { needs: ['found'], minSuccess: 0, fallback: [] },
  )
  .optional('summary', ({ found }) => wikipedia.summary({ title: titleOf(found[0]) }), {
    fallback: null,
    needs: ['found'],
  })
  .optional('facts', ({ query }) => (query.facts === 0 ? skip : catfactNinja.facts({ limit: query.facts })), {
    fallback: { data: [], total: 0 },
    needs: ['found'],
  })
  .reply(Breed, ({ found, pictures, summary, facts }) => {
    const [{ id, name, origin = null, temperament = '', description = null }, ...others] = found
    return {
      id,
      name,
      origin,
      description,
      temperament: temperament
        .split(',')
        .map(word => word.trim())
        .filter(word => word !== ''),
      summary: summary && { text: summary.extract, url: summary.content_urls.desktop.page },
      pictures: pictures.flatMap((list, index) =>
        list.map(({ url, width, height }) => ({ breed: found[index]?.id ?? id, url, width, height })),
      ),
      facts: facts.data.map(({ fact }) => fact),
      alsoCalled: others.map(each => ({ id: each.id, name: each.name })),
    }
  })

/** Returns the title of the breed's article from its percent-encoded URL. Without a valid URL, returns the name. */
function titleOf({ wikipedia_url: address, name }: CatApiBreed): string {
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined
  const title = url?.pathname.split('/').at(-1)
  try {
    return decodeURIComponent(title || name)
  } catch {
    return name
  }
}

/** Returns all breeds that match. A breed with exactly this name or id is first. Refuses with 404 if none matches. */
function bestFit(matches: readonly CatApiBreed[], asked: string): [CatApiBreed, ...CatApiBreed[]] {
  const word = asked.toLowerCase()
  const exact = matches.find(({ id, name }) => id === word || name.toLowerCase() === word)
  const [first, ...rest] = exact === undefined ? matches : [exact, ...matches.filter(each => each !== exact)]
  return first === undefined ? refuse(404, 'No breed has this name.') : [first, ...rest]
}
