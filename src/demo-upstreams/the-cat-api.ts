import { breeds } from './data/breeds.ts'
import { hash } from './random.ts'
import { picture } from './picture.ts'
import type { DemoAnswer, DemoRoute, DemoRequest } from './route.ts'
import { wholeNumber } from './whole-number.ts'

// Without an API key, the real service returns at most 10 pictures at once.
const PICTURES_MAX = 10
const EXTENSIONS = ['jpg', 'png', 'gif']

/** Returns the routes of TheCatAPI: pictures, all breeds, breeds by name, one breed. */
export function theCatApi(seed: number): DemoRoute[] {
  const pictureSeed = hash(seed, 1)
  const breedSeed = hash(seed, 2)
  const referenceSeed = hash(seed, 3)

  const known = breeds.map((breed, index) => ({
    weight: breed.weight,
    id: breed.id,
    name: breed.name,
    temperament: breed.temperament,
    origin: breed.origin,
    country_codes: breed.countryCode,
    country_code: breed.countryCode,
    description: breed.description,
    life_span: breed.lifeSpan,
    wikipedia_url: `https://en.wikipedia.org/wiki/${breed.article.replaceAll(' ', '_')}`,
    reference_image_id: picture(referenceSeed, index).id,
  }))

  function pictures({ query, number }: DemoRequest): DemoAnswer {
    const limit = wholeNumber(query.get('limit'), 1, PICTURES_MAX)
    const ids = query.get('breed_ids')?.toLowerCase().split(',').filter(Boolean) ?? []
    const withBreeds = ids.length > 0 || /^(1|true)$/.test(query.get('has_breeds') ?? '')
    const candidates = ids.length > 0 ? known.filter(({ id }) => ids.includes(id)) : known
    if (candidates.length === 0) return { body: [] }
    const asked = query.get('mime_types')?.split(',') ?? []
    const extension = EXTENSIONS.find(extension => asked.includes(extension)) ?? 'jpg'

    return {
      body: Array.from({ length: limit }, function one(_, index) {
        const draw = number * PICTURES_MAX + index
        const found = picture(pictureSeed, draw, extension)
        return withBreeds ? { ...found, breeds: [candidates[hash(breedSeed, draw) % candidates.length]] } : found
      }),
    }
  }

  function search({ query }: DemoRequest): DemoAnswer {
    const wanted = query.get('q')?.trim().toLowerCase() ?? ''
    if (wanted === '') return { body: [] }
    return { body: known.filter(({ id, name }) => id === wanted || name.toLowerCase().includes(wanted)) }
  }

  function one({ params }: DemoRequest): DemoAnswer {
    const breed = known.find(({ id }) => id === params.id?.toLowerCase())
    return breed === undefined ? { status: 404, body: { message: 'Not Found', status: 404 } } : { body: breed }
  }

  return [
    { path: '/v1/images/search', answer: pictures },
    { path: '/v1/breeds/search', answer: search },
    { path: '/v1/breeds/:id', answer: one },
    { path: '/v1/breeds', answer: () => ({ body: known }) },
  ]
}
