import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { clientDuration, families, serverDuration } from '../src/metrics/families.ts'
import { maxSeries } from '../src/metrics/max-series.ts'

const page = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8')

/** The rows of the tables: name, type and labels. */
const rows = Array.from(
  page.matchAll(/^\| `([a-z_]+)` \| (\w+) \|([^|]*)\| [^|]+ \|$/gm),
  ([, name, type, labels]) => ({
    name,
    type,
    labels: Array.from((labels as string).matchAll(/`(\w+)`/g), ([, label]) => label),
  }),
)

test('docs/metrics.md has each family with its type and its labels, in the order of the code', async t => {
  t.same(
    rows,
    families.map(({ name, type, labels }) => ({ name, type, labels })),
  )
})

test('the name of a counter ends with _total, and a unit is in the name', async t => {
  t.equal(new Set(families.map(({ name }) => name)).size, families.length)
  for (const { name, type, help, buckets } of families) {
    t.equal(name.endsWith('_total'), type === 'counter', name)
    t.equal(buckets !== undefined, type === 'histogram', name)
    if (type === 'histogram') t.ok(name.endsWith('_seconds'), name)
    t.match(help, /^[A-Z].*\.$/)
  }
})

test('docs/metrics.md has the numbers of combinations of an aggregate and of an operation', async t => {
  const service = { aggregates: [], upstreams: [], otherRoutes: 0, bulkRoutes: 0 }
  const combinations = (own: object, family: object) => {
    const of = (each: Parameters<typeof maxSeries>[0]) =>
      maxSeries(each).find(found => found.family === family)?.series ?? 0
    return (of({ ...service, ...own }) - of(service)) / 17
  }
  const aggregate = {
    route: { method: 'GET', stream: true },
    steps: [],
    statuses: [200],
    hooks: { context: undefined },
  }
  const operation = { safe: true, coalesce: false, cache: {}, allowEmpty: false, nullOn: [] }
  const spec = {
    name: 'up',
    retry: false as const,
    hedge: false as const,
    breaker: false as const,
    caches: true,
    layers: { call: [], attempt: [] },
    auth: undefined,
  }
  t.match(page, `at most ${combinations({ aggregates: [aggregate] }, serverDuration)} combinations`)
  t.match(page, `at most ${combinations({ upstreams: [{ spec, operations: [operation] }] }, clientDuration)} in`)
})
