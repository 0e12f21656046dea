import { test, type Test } from 'tap'
import { requestsRoutes } from '../../src/admin/requests-routes.ts'
import { readRunFilter } from '../../src/admin/run-filter.ts'
import { Problem } from '../../src/errors.ts'
import type { RunFilter, RunSource } from '../../src/kept/run-source.ts'
import type { KeptRun, RunList } from '../../src/waterfall/kept-run.ts'
import { keptRun, runRow } from '../helpers/kept-run.ts'
import { serveAdminApp } from './helpers/served-admin-app.ts'

const key = 'admin-key-0123456789'
const run = keptRun({ id: 'a-run' })
const list: RunList = {
  runs: [runRow({ id: 'a-run' })],
  next: '12_a-run',
  kept: { failed: 1, partial: 0, slow: 0, cancelled: 0, complete: 0 },
  oldest: { failed: null, partial: null, slow: null, cancelled: null, complete: null },
  incomplete: [],
}

/** Serves the routes over a source that has one run, and records the filters of its lists. */
async function arrange(t: Test, access: { readonly key?: string } = {}, source: Partial<RunSource> = {}) {
  const filters: RunFilter[] = []
  const routes = requestsRoutes(
    {
      find: async id => (id === 'a-run' ? run : undefined),
      list: async filter => {
        filters.push(filter)
        return list
      },
      ...source,
    },
    access,
  )
  const { origin, port, lines } = await serveAdminApp(t, { routes: [routes] })
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(origin + path, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text }
  }
  return { get, filters, port, lines }
}

test('the list and a run are JSON that no cache stores and no other page reads', async t => {
  const { get, filters } = await arrange(t)
  for (const [path, body] of [
    ['/requests', list],
    ['/requests/a-run', run],
  ] as const) {
    const { status, headers, text } = await get(path, { headers: { origin: 'http://other.example' } })
    t.equal(status, 200)
    t.same(JSON.parse(text) as KeptRun | RunList, body)
    t.match(headers.get('content-type'), /^application\/json/)
    t.equal(headers.get('cache-control'), 'no-store')
    t.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
    t.equal(headers.get('access-control-allow-origin'), null)
    t.same([(await get(path, { method: 'HEAD' })).text, (await get(path, { method: 'HEAD' })).status], ['', 200])
  }
  t.match(filters[0], { limit: 50, states: undefined })
})

test('a run that is not kept is 404 with the way to find another one', async t => {
  const { get } = await arrange(t)
  for (const id of ['another', 'constructor', '__proto__', 'toString', '%00']) {
    const { status, text } = await get(`/requests/${id}`)
    t.equal(status, 404, id)
    t.match(JSON.parse(text), { code: 'NOT_FOUND' })
  }
  t.match((await get('/requests/another')).text, 'look for it with /requests?request=')
})

test('with a key the routes need it, and without a key they need a local host', async t => {
  const guarded = await arrange(t, { key })
  for (const path of ['/requests', '/requests/a-run', '/requests?state=nonsense']) {
    t.equal((await guarded.get(path)).status, 401)
    t.equal((await guarded.get(path, { headers: { authorization: 'Bearer another' } })).status, 401)
  }
  const authorization = `Bearer ${key}`
  t.equal((await guarded.get('/requests', { headers: { authorization } })).status, 200)
  t.equal((await guarded.get('/requests/a-run', { headers: { authorization } })).status, 200)
  const open = await arrange(t)
  const { app } = await serveAdminApp(t, {
    routes: [requestsRoutes({ find: async () => run, list: async () => list }, {})],
  })
  t.equal((await open.get('/requests')).status, 200)
  for (const url of ['/requests', '/requests/a-run'])
    t.match(await app.inject({ url, headers: { host: 'rebound.example' } }), { statusCode: 421 })
})

test('other methods are 405', async t => {
  const { get } = await arrange(t)
  for (const path of ['/requests', '/requests/a-run']) {
    const { status, headers } = await get(path, { method: 'DELETE' })
    t.equal(status, 405)
    t.equal(headers.get('allow'), 'HEAD, GET, OPTIONS')
  }
})

test('the query of a list is its filter', async t => {
  const { get, filters } = await arrange(t)
  const query =
    'state=failed,partial&aggregate=cat-facts&upstream=meowfacts&request=req-8&trace=0af7&worker=2&min=500' +
    '&before=12_a-run&limit=7'
  t.equal((await get(`/requests?${query}`)).status, 200)
  t.same(filters, [
    {
      states: ['failed', 'partial'],
      aggregate: 'cat-facts',
      upstream: 'meowfacts',
      request: 'req-8',
      trace: '0af7',
      worker: 2,
      min: 500,
      before: '12_a-run',
      limit: 7,
    },
  ])
})

/** Returns the faults of a query, by the name of the parameter. */
function faultsOf(query: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  try {
    readRunFilter(query)
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return (error.faults ?? []).map(({ pointer, reason }) => [pointer, reason] as const)
  }
}

test('a filter that cannot be read is refused with every fault', t => {
  t.same(faultsOf({ state: '', min: '', limit: '200' }), [], 'an empty filter is no filter')
  t.same(faultsOf({ states: 'failed' }), [
    [
      '/query/states',
      'is not a filter: use one of state, aggregate, upstream, request, trace, worker, min, before, limit',
    ],
  ])
  t.same(faultsOf({ 'a/b~c': '1' })[0]?.[0], '/query/a~1b~0c')
  t.same(faultsOf({ aggregate: ['a', 'b'] }), [['/query/aggregate', 'must occur once']])
  t.same(faultsOf({ state: 'failed,slow' }), [
    ['/query/state', 'must be one or several of complete, partial, failed, cancelled, separated by commas'],
  ])
  for (const min of ['x', '-1', '1.5', '1e99', 'Infinity'])
    t.same(faultsOf({ min }), [['/query/min', 'must be a whole number from 0 to 2147483647']])
  t.same(faultsOf({ limit: '0', worker: '0' }), [
    ['/query/worker', 'must be a whole number from 1 to 65535'],
    ['/query/limit', 'must be a whole number from 1 to 200'],
  ])
  t.same(faultsOf({ before: 'yesterday' }), [['/query/before', "must be the value of 'next' of the list before"]])
  t.end()
})

test('the reads of an operator are logged at debug', async t => {
  const { get, lines } = await arrange(t)
  await get('/requests')
  await get('/requests/a-run')
  t.same(
    lines.filter(({ level, msg }) => level > 20 && msg === 'request completed'),
    [],
  )
})
