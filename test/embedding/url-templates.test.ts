import { createRequire } from 'node:module'
import fastify, { type FastifyInstance, type FastifyPluginCallback, type FastifyServerOptions } from 'fastify'
import { test, type Test } from 'tap'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { echoAggregate as echo } from '../helpers/echo-aggregate.ts'

/** The types of the module would be those of every file of the program. */
const fastifySwagger = createRequire(import.meta.url)('@fastify/swagger') as FastifyPluginCallback<{ openapi: object }>

interface AppOptions {
  readonly server?: FastifyServerOptions
  readonly prefix?: string
  /** Adds routes before the plugin. */
  readonly before?: (app: FastifyInstance) => void
}

/** Registers aggregates with an app, and returns a function that requests a path. */
async function embedded(t: Test, aggregates: AnyAggregate[], { server = {}, prefix = '', before }: AppOptions = {}) {
  const app = fastify(server)
  t.teardown(() => app.close())
  before?.(app)
  await app.register(headwaters, { aggregates, prefix })
  return async (url: string, method: 'GET' | 'POST' | 'OPTIONS' = 'GET') => {
    const { statusCode, body } = await app.inject({ method, url })
    return statusCode === 200 ? (JSON.parse(body) as unknown) : statusCode
  }
}

const aggregates = [
  echo('read', '/jobs/{id}'),
  echo('cancel', '/jobs/{id}:cancel', 'POST'),
  echo('weather', '/weather/{lat},{lon}'),
  echo('version', '/v{version}/x'),
  echo('comma', '/geo%2Cberlin'),
]

test('templates with text beside a parameter are served below a prefix', async t => {
  for (const prefix of ['/api', '/api/', '/a/b,c', '/%C3%A9']) {
    const ask = await embedded(t, aggregates, { prefix })
    const base = prefix.replace(/\/$/, '').replace('%C3%A9', '%25C3%25A9')
    t.same(await ask(`${base}/weather/1%2C2,3?x=/4,5`), ['weather', '1,2', '3'], prefix)
    t.same(await ask(`${base}/jobs/7:cancel`, 'POST'), ['cancel', '7'])
    t.same(await ask(`${base}/jobs/7`), ['read', '7'])
    t.same(await ask(`${base}/jobs/7%3Acancel`), ['read', '7:cancel'])
    t.same(await ask(`${base}/geo,berlin`), ['comma'])
    t.equal(await ask(`${base}/weather/12`), 404)
    t.equal(await ask('/weather/1,2'), 404)
  }
})

test('a reserved character that is encoded in the template matches encoded and unencoded', async t => {
  const ask = await embedded(t, [echo('pair', '/pair/{a}%2C{b}'), echo('comma', '/geo%2Cberlin')], { prefix: '/api' })
  for (const path of ['/pair/1,2', '/pair/1%2C2', '/pair/1%2c2'])
    t.same(await ask(`/api${path}`), ['pair', '1', '2'], path)
  for (const path of ['/geo,berlin', '/geo%2Cberlin']) t.same(await ask(`/api${path}`), ['comma'], path)
})

test('the parameters of a prefix stay parameters', async t => {
  const tenants = await embedded(t, [echo('pair', '/{tenant}/{a},{b}'), echo('free', '/{a};{b}')], {
    prefix: '/:tenant/:id',
  })
  t.same(await tenants('/acme/7/1;2'), ['free', '1', '2', 'acme', '7'])
  t.same(await tenants('/acme/7/own/1,2'), ['pair', 'own', '1', '2', '7'], 'the template has precedence')
})

test("the options of the app's router hold for such templates", async t => {
  const slashes = await embedded(t, [...aggregates, echo('ending', '/ending/{a}-{b}/')], {
    server: { routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } },
  })
  t.same(await slashes('/weather/1,2/'), ['weather', '1', '2'])
  t.same(await slashes('//weather///1,2'), ['weather', '1', '2'])
  t.same(await slashes('/ending/1-2'), ['ending', '1', '2'])
  t.same(await slashes('/ending/1-2/'), ['ending', '1', '2'])
  t.same(await slashes('/geo,berlin/'), ['comma'])
  const strict = await embedded(t, [echo('ending', '/ending/{a}-{b}/')])
  t.same(await strict('/ending/1-2/'), ['ending', '1', '2'])
  t.equal(await strict('/ending/1-2'), 404)
  t.equal(await strict('//ending/1-2/'), 404)

  const caseless = await embedded(t, aggregates, { server: { routerOptions: { caseSensitive: false } } })
  t.same(await caseless('/WEATHER/A,B'), ['weather', 'A', 'B'])
  t.same(await caseless('/V2/X'), ['version', '2'])
  const semicolons = await embedded(t, aggregates, {
    server: { routerOptions: { useSemicolonDelimiter: true } as FastifyServerOptions['routerOptions'] & object },
  })
  t.same(await semicolons('/weather/1,2;a=/3,4'), ['weather', '1', '2'])
  const compiled = await embedded(t, aggregates, {
    server: { routerOptions: { compile: true } },
  })
  t.same(await compiled('/weather/1,2'), ['weather', '1', '2'])
  t.equal(await compiled('/weather/12'), 404)
  const rewritten = await embedded(t, aggregates, {
    server: { rewriteUrl: ({ url = '' }) => url.replace('/old/', '/weather/') },
  })
  t.same(await rewritten('/old/1,2'), ['weather', '1', '2'])
})

test("a URL that matches no template goes to the app's other routes", async t => {
  const ask = await embedded(t, aggregates.slice(1), {
    before: app => {
      app.get('/weather/:place', ({ params }) => ['own', params])
      app.get('/*', () => ['rest'])
      app.post('/jobs/:id', () => ['posted'])
    },
  })
  t.same(await ask('/weather/berlin'), ['own', { place: 'berlin' }])
  t.same(await ask('/weather/1,2'), ['weather', '1', '2'])
  t.same(await ask('/elsewhere/1,2'), ['rest'])
  t.same(await ask('/jobs/7', 'POST'), ['posted'])
  t.same(await ask('/jobs/7:cancel', 'POST'), ['cancel', '7'])
})

test('two registrations cannot serve the same templates, and the error names the template', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(headwaters, { aggregates, prefix: '/api' })
  await t.rejects(
    async () => app.register(headwaters, { aggregates: [echo('other', '/weather/{a},{b}')], prefix: '/api' }),
    {
      message:
        "headwaters: GET /api/weather/{a},{b} (aggregate 'other') is already a route of this app: " +
        'register the aggregate once, or under another prefix',
    },
  )
  const caseless = fastify({ routerOptions: { caseSensitive: false, ignoreTrailingSlash: true } })
  t.teardown(() => caseless.close())
  await t.rejects(
    async () => caseless.register(headwaters, { aggregates: [echo('one', '/A/{x}-'), echo('two', '/a/{y}-/')] }),
    { message: /'one' \(\/A\/\{x\}-\) and 'two' \(\/a\/\{y\}-\/\) match the same GET requests/ },
  )
})

test("an app's document has the templates as they are declared", async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(fastifySwagger, { openapi: { openapi: '3.1.0' } })
  const urls = [
    '/weather/{lat},{lon}',
    '/jobs/{id}:cancel',
    '/jobs/{id}',
    '/Products({key})',
    '/v{version}/{name}.{ext}',
    '/a(b)/{c}',
    '/geo%2Cberlin/{x}',
    '/{a}%2F{b}/{c}%25{d}',
    '/star%2A',
    '/things:batch',
    '/caf%C3%A9/{x}%20',
  ]
  await app.register(headwaters, { aggregates: urls.map((url, index) => echo(`a${index}`, url)), prefix: '/api' })
  await app.ready()
  const { paths } = (app as unknown as { swagger(): unknown }).swagger() as {
    readonly paths: Readonly<Record<string, { readonly get: { parameters?: { name: string; in: string }[] } }>>
  }
  const shown = (url: string) => `/api${url}`.replaceAll('(', '%28').replaceAll(')', '%29')
  t.same(Object.keys(paths).toSorted(), urls.map(shown).toSorted())
  for (const [path, { get }] of Object.entries(paths))
    t.same(
      get.parameters?.filter(each => each.in === 'path').map(({ name }) => name) ?? [],
      Array.from(path.matchAll(/\{(\w+)\}/g), match => match[1]),
      path,
    )
  for (const path of Object.keys(paths)) {
    const { statusCode } = await app.inject(path.replaceAll(/\{\w+\}/g, '7'))
    t.equal(statusCode, 200, `${path} of the document is served`)
  }
})

test('templates that the router takes for one route are refused by name, whatever their methods', async t => {
  for (const [one, other] of [
    ['/x%2Cy', '/{a}x,y'],
    ['/%2C', '/{a},'],
    ['/%2A', '/{a}%2A'],
    ['/{a}%25b', '/{a}%2Fb'],
    ['/%25%2C', '/{a}%25,'],
    ['/%2F%2F', '/{a}%25'],
  ] as const)
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const)
      for (const method of ['GET', 'POST'] as const)
        for (const routerOptions of [{}, { caseSensitive: false, ignoreTrailingSlash: true }]) {
          const app = fastify({ routerOptions })
          await t.rejects(
            async () => app.register(headwaters, { aggregates: [echo('one', first), echo('two', second, method)] }),
            {
              name: 'TypeError',
              message:
                `headwaters: the router cannot distinguish the urls of the aggregates 'one' (${first}) and 'two' (${second}): ` +
                'change the url of one',
            },
          )
          await app.close()
        }
  const ask = await embedded(t, [echo('x', '/x%2Cy'), echo('y', '/{b}z,y'), echo('z', '/x%2Cy', 'POST')])
  t.same(await ask('/x,y', 'POST'), ['z'], 'one path may have several methods')
})
