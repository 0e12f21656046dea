import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

interface City {
  readonly name: string
  readonly lat: number
  readonly lon: number
}
type Answer = readonly [status: number, value: object]

const countries: Readonly<Record<string, { readonly name: string; readonly cities: readonly City[] }>> = {
  is: {
    name: 'Iceland',
    cities: [
      { name: 'Reykjavik', lat: 64.1, lon: -21.9 },
      { name: 'Akureyri', lat: 65.7, lon: -18.1 },
      { name: 'Selfoss', lat: 63.9, lon: -21 },
    ],
  },
  no: {
    name: 'Norway',
    cities: [
      { name: 'Oslo', lat: 59.9, lon: 10.7 },
      { name: 'Bergen', lat: 60.4, lon: 5.3 },
      { name: 'Trondheim', lat: 63.4, lon: 10.4 },
      { name: 'Stavanger', lat: 59, lon: 5.7 },
      { name: 'Bodo', lat: 67.3, lon: 14.4 },
    ],
  },
}
const notFound: Answer = [404, { message: 'not found' }]
const pageSize = 2

/**
 * Starts imitations of both APIs on free ports of this machine. The forecast of Akureyri fails, and so does the last
 * page of the cities of Norway.
 *
 * @returns Their origins.
 */
export async function startUpstreams(): Promise<{ readonly geo: string; readonly weather: string }> {
  return { geo: await listen(places), weather: await listen(forecast) }
}

function places({ pathname, searchParams }: URL): Answer {
  const [, list, code = '', part] = pathname.split('/')
  if (list === 'cities') {
    const all = Object.values(countries).flatMap(({ cities }) => cities)
    const city = all.find(({ name }) => name.toLowerCase() === searchParams.get('name')?.toLowerCase())
    return city === undefined ? notFound : [200, city]
  }
  const country = countries[code]
  if (country === undefined) return notFound
  if (part === undefined) return [200, { name: country.name }]
  const offset = Number(searchParams.get('offset'))
  if (code === 'no' && offset === 4) return [500, { message: 'the page is broken' }]
  return [200, { total: country.cities.length, cities: country.cities.slice(offset, offset + pageSize) }]
}

function forecast({ searchParams }: URL): Answer {
  const lat = Number(searchParams.get('lat'))
  if (lat === 65.7) return [500, { message: 'the station is broken' }]
  return [200, { degrees: Math.round(70 - lat), sky: lat > 64 ? 'clear' : 'rain' }]
}

async function listen(answer: (url: URL) => Answer): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const [status, value] = answer(new URL(url, 'http://localhost'))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
