import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

interface Order {
  readonly id: string
  readonly lines: readonly { readonly id: string; readonly quantity: number }[]
  readonly cents: number
}

const products = [
  { id: 'kettle', name: 'Kettle', text: 'Boils a litre in three minutes.', cents: 4900, count: 3 },
  { id: 'teapot', name: 'Teapot', text: 'For six cups.', cents: 2900, count: 0 },
  { id: 'cup', name: 'Cup', text: 'Thin porcelain.', cents: 900, count: 40 },
  // It has no price yet.
  { id: 'tray', name: 'Tray', text: 'Oiled oak.', cents: undefined, count: 5 },
]
const find = (id: string | undefined) => products.find(product => product.id === id)

/**
 * Starts an imitation of the shop's API on a free port of this machine. The tray has no price, the teapot is sold out,
 * and the stock of the cup fails.
 *
 * @returns Its origin.
 */
export async function startUpstream(): Promise<string> {
  const orders = new Map<string, Order>()

  async function answer(request: IncomingMessage): Promise<[status: number, value: unknown]> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    const [, list, id, part] = pathname.split('/')
    if (list === 'prices') {
      const ids = searchParams.getAll('ids')
      return [200, products.filter(product => ids.includes(product.id) && product.cents !== undefined)]
    }
    if (list === 'orders' && request.method === 'POST') return create((await json(request)) as Pick<Order, 'lines'>)
    const found = list === 'orders' ? orders.get(id ?? '') : find(id)
    if (found === undefined) return [404, { message: 'not found' }]
    if (list === 'stock' && id === 'cup') return [500, { message: 'the stock is being counted' }]
    return [200, part === 'recommendations' ? products.filter(product => product !== found) : found]
  }

  function create({ lines }: Pick<Order, 'lines'>): [status: number, value: unknown] {
    const unknown = lines.filter(({ id }) => find(id) === undefined).map(({ id }) => id)
    if (unknown.length > 0) return [422, { unknown }]
    const soldOut = lines.filter(({ id, quantity }) => (find(id)?.count ?? 0) < quantity).map(({ id }) => id)
    if (soldOut.length > 0) return [409, { soldOut }]
    const cents = lines.reduce((sum, { id, quantity }) => sum + quantity * (find(id)?.cents ?? 0), 0)
    const order = { id: String(orders.size + 1), lines, cents }
    orders.set(order.id, order)
    return [201, order]
  }

  const server = createServer((request, response) => {
    const send = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    answer(request).then(
      reply => send(...reply),
      (error: unknown) => send(500, { message: String(error) }),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
