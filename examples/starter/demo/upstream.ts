import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const books: Readonly<Record<string, object>> = {
  1: { title: 'The Water Book', author: 'A. Rivers' },
  2: { title: 'Springs and Wells', author: 'B. Fontaine' },
}
const reviews = [
  { stars: 5, text: 'I read it twice.' },
  { stars: 4, text: 'Clear, from the source to the mouth.' },
  { stars: 2, text: 'Too wet.' },
]

/**
 * Starts an upstream on a free port of this machine. It knows the books 1 and 2. The reviews of book 2 fail, so that its
 * reply is partial.
 *
 * @returns Its origin.
 */
export async function startUpstream(): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const [, , id = '', part] = pathname.split('/')
    const send = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const book = books[id]
    if (book === undefined) send(404, { message: 'unknown book' })
    else if (part === undefined) send(200, book)
    else if (id === '2') send(500, { message: 'the reviews are broken' })
    else send(200, reviews.slice(0, Number(searchParams.get('limit'))))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
