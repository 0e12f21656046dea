import fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, headwaters } from '../../src/index.ts'
import { fact, order, scriptedCats } from '../helpers/cats.ts'
import { listening } from '../helpers/listening.ts'

/** Collects routes as `@fastify/swagger` does. */
function collect(app: FastifyInstance) {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', options => {
    routes.push(options)
  })
  return (method: string, url: string) =>
    routes.find(route => route.method === method && route.url === url)?.schema as Record<string, unknown> | undefined
}

test('the routes carry schemas that @fastify/swagger collects', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const schemaOf = collect(app)
  await app.register(headwaters, { aggregates: [fact, order], prefix: '/api' })

  t.match(schemaOf('GET', '/api/facts/:kind'), {
    operationId: 'apiAFact',
    summary: 'One fact',
    description: 'Told by a cat.',
    tags: ['Aggregates'],
    params: { type: 'object', properties: { kind: { type: 'string', enum: ['short', 'long'] } }, required: ['kind'] },
    querystring: { type: 'object', properties: { count: { type: 'integer', minimum: 1, default: 1 } } },
    headers: { type: 'object', properties: { 'accept-language': { type: 'string' } } },
    response: {
      200: {
        type: 'object',
        properties: {
          data: { type: 'object', description: 'What is told.', properties: { fact: { type: 'string' } } },
          complete: { type: 'boolean' },
          sources: { type: 'object' },
        },
      },
      default: {
        content: {
          'application/problem+json': { schema: { type: 'object', properties: { code: { type: 'string' } } } },
        },
      },
    },
  })
  const posted = schemaOf('POST', '/api/orders')
  t.match(posted, {
    operationId: 'apiOrder',
    summary: 'order',
    body: { properties: { cat: { type: 'string', minLength: 2 } } },
    response: { 200: { properties: { id: { type: 'string' } } } },
  })
  t.equal(posted?.['params'], undefined)
  t.notMatch(JSON.stringify(posted), /\$ref|\$schema/, 'each schema stands for itself')
  t.same(schemaOf('OPTIONS', '/api/orders'), { hide: true }, 'what is not an aggregate is hidden')
})

test('Fastify neither validates nor serialises by the description', async t => {
  const { upstream, overrides } = await scriptedCats(t)
  upstream.always('/fact', { fact: 'They purr.' }).always('POST /orders', { id: '7' })
  const app = fastify()
  app.setValidatorCompiler(() => () => {
    throw new Error('their validator was called')
  })
  app.setSerializerCompiler(() => () => {
    throw new Error('their serializer was called')
  })
  await app.register(headwaters, { aggregates: [fact, order], overrides })
  const ask = await listening(t, app)

  const all = await ask('/facts/none?count=0')
  t.equal(all.status, 400)
  t.match(
    all.body,
    { code: 'INPUT_INVALID', errors: [{ pointer: '/params/kind' }, { pointer: '/query/count' }] },
    'all faults at once, so it is ours',
  )
  t.equal((await ask('/facts/short?count=2')).status, 200)
  const posted = await ask('/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"cat":"tom"}',
  })
  t.equal(posted.text, '{"id":"7"}')
})

test('a type that JSON Schema cannot express has an open schema and is not refused', async t => {
  const odd = aggregate('odd', {
    url: '/odd',
    query: z.object({ when: z.coerce.date().optional(), flag: z.stringbool().optional() }),
  }).reply(
    z.object({ at: z.date() }).transform(({ at }) => ({ at: at.toISOString() })),
    ({ query }) => ({ at: query.when ?? new Date(0) }),
  )
  const app = fastify()
  const schemaOf = collect(app)
  await app.register(headwaters, { aggregates: [odd] })
  const ask = await listening(t, app)
  t.match(schemaOf('GET', '/odd'), { operationId: 'odd', querystring: { type: 'object' } })
  t.match((await ask('/odd?when=2020-01-01')).body, { data: { at: '2020-01-01T00:00:00.000Z' } })
})

test('a bigint is an integer of 64 bits, and the description can be written as JSON', async t => {
  const id = 9_007_199_254_740_993n
  const Item = z.object({ id: z.bigint().meta({ examples: [5n, id] }), kind: z.literal(1n).optional() })
  const big = aggregate('big', { url: '/big', body: Item }).reply(Item, ({ body }) => body)
  const app = fastify()
  t.teardown(() => app.close())
  const schemaOf = collect(app)
  await app.register(headwaters, { aggregates: [big] })
  t.match(JSON.parse(JSON.stringify(schemaOf('POST', '/big'))), {
    body: {
      properties: {
        id: { type: 'integer', format: 'int64', examples: [5, String(id)] },
        kind: { type: 'integer', const: 1 },
      },
    },
  })
})

test('the routes carry no schemas where the option is off', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const schemaOf = collect(app)
  await app.register(headwaters, { aggregates: [fact], describe: false })
  await app.ready()
  t.equal(schemaOf('GET', '/facts/:kind'), undefined)
  t.ok(app.hasRoute({ method: 'GET', url: '/facts/:kind' }))
})

test('a describe that is not a boolean is refused', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await t.rejects(headwaters(app, { aggregates: [fact], describe: 'false' as never }), {
    name: 'TypeError',
    message: 'headwaters: describe must be true or false, got a string',
  })
})

test('a recursive schema stands for itself too: deeper levels are left open', async t => {
  const Node = z.object({
    name: z.string(),
    get below() {
      return z.array(Node)
    },
  })
  const tree = aggregate('tree', { url: '/tree', body: z.object({ root: Node }) }).reply(Node, ({ body }) => body.root)
  const app = fastify()
  t.teardown(() => app.close())
  const schemaOf = collect(app)
  await app.register(headwaters, { aggregates: [tree] })
  const schema = schemaOf('POST', '/tree')
  t.notMatch(JSON.stringify(schema), '$ref')
  t.match(schema, {
    body: { properties: { root: { properties: { name: { type: 'string' }, below: { type: 'array', items: {} } } } } },
    response: { 200: { properties: { data: { properties: { below: { items: {} } } } } } },
  })
})

test('types that refer to each other are described in a size that does not grow exponentially with their number', async t => {
  const sizeOf = async (count: number, side: 'body' | 'reply') => {
    const types: z.ZodType[] = Array.from({ length: count }, () =>
      z.object({
        name: z.string(),
        ...Object.fromEntries(
          Array.from({ length: count }, (_each, other) => [
            `to${other}`,
            z.lazy(() => types[other] as z.ZodType).optional(),
          ]),
        ),
      }),
    )
    const schema = z.object({ first: types[0] as z.ZodType })
    const graph = aggregate('graph', { url: '/graph', method: 'POST', ...(side === 'body' && { body: schema }) }).reply(
      side === 'body' ? z.null() : schema,
      () => null,
    )
    const app = fastify()
    t.teardown(() => app.close())
    const schemaOf = collect(app)
    await app.register(headwaters, { aggregates: [graph] })
    const described = schemaOf('POST', '/graph')
    t.match(JSON.stringify(described), '"to3":{}', 'a reference that leads back is open')
    return JSON.stringify(described).length
  }
  for (const side of ['body', 'reply'] as const) {
    const [few, more] = [await sizeOf(4, side), await sizeOf(7, side)]
    t.ok(more < few * 3, `${side}: ${few} characters for 4 types, ${more} for 7`)
  }
})

test('types that refer to each other are described to where they lead back, in each place', async t => {
  const Leaf = z.object({ leaf: z.string() })
  const Owner = z.object({
    name: z.string(),
    leaf: Leaf,
    get cats() {
      return z.array(Cat)
    },
  })
  const Cat = z.object({
    id: z.string(),
    get owner() {
      return Owner.optional()
    },
  })
  const both = aggregate('both', { url: '/both', envelope: false }).reply(z.object({ cat: Cat, owner: Owner }), () => ({
    cat: { id: '' },
    owner: { name: '', leaf: { leaf: '' }, cats: [] },
  }))
  const app = fastify()
  t.teardown(() => app.close())
  const schemaOf = collect(app)
  await app.register(headwaters, { aggregates: [both] })
  const text = { type: 'string' }
  const leaf = { type: 'object', properties: { leaf: text }, required: ['leaf'] }
  const ownerWith = (item: object) => ({
    type: 'object',
    properties: { name: text, leaf, cats: { type: 'array', items: item } },
    required: ['name', 'leaf', 'cats'],
  })
  const cat = { type: 'object', properties: { id: text, owner: ownerWith({}) }, required: ['id'] }
  const { response } = schemaOf('GET', '/both') as { response: Record<string, { properties: object }> }
  t.same(response['200']?.properties, { cat, owner: ownerWith(cat) })
})
