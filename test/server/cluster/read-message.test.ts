import fc from 'fast-check'
import { test } from 'tap'
import type { SeriesChunk } from '../../../src/metrics/chunks.ts'
import { topics, type FromWorker, type WorkerAssignment, type ToWorker } from '../../../src/server/cluster/messages.ts'
import { latencyBuckets } from '../../../src/metrics/latency-counts.ts'
import { aggregateCountNames, upstreamCountNames, upstreamGaugeNames } from '../../../src/overview/process-sample.ts'
import type { RunRow } from '../../../src/waterfall/kept-run.ts'
import { marked, readFromWorker, readAssignment, readToWorker } from '../../../src/server/cluster/read-message.ts'

const mark = 'the mark of this channel'
const whole = fc.nat()
const failure = fc.record(
  { name: fc.string(), message: fc.string(), stack: fc.string(), code: fc.string() },
  { requiredKeys: ['name', 'message'] },
)

const text = fc.string()
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0)
const time = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })
const family = fc.oneof(
  fc.record({
    name: text,
    help: text,
    type: fc.constantFrom('counter' as const, 'gauge' as const),
    labels: fc.array(text),
    merge: fc.constantFrom('sum' as const, 'max' as const),
  }),
  fc.record({
    name: text,
    help: text,
    type: fc.constant('histogram' as const),
    labels: fc.array(text),
    buckets: fc.array(finite),
    merge: fc.constantFrom('sum' as const, 'max' as const),
  }),
)
const chunk = fc.record({
  family,
  from: whole,
  labels: fc.array(text),
  values: fc.array(fc.option(finite)),
  exemplars: fc.array(fc.record({ at: whole, traceId: text, value: finite, time })),
})

const countsOf = (length: number) => fc.array(time, { minLength: length, maxLength: length })
const indexed = fc.array(fc.tuple(fc.nat(latencyBuckets - 1), whole)).map(pairs => pairs.flat())
const named = fc.array(fc.tuple(text, time))
const sample = fc.record({
  upstreams: fc.array(
    fc.record({
      name: text,
      counts: countsOf(upstreamCountNames.length),
      gauges: countsOf(upstreamGaugeNames.length),
      latency: indexed,
      failures: named,
    }),
  ),
  aggregates: fc.array(
    fc.record({
      name: text,
      counts: countsOf(aggregateCountNames.length),
      latency: indexed,
      codes: named,
      statuses: named,
    }),
  ),
})
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value)
const row: fc.Arbitrary<RunRow> = fc.record({
  id: text,
  requestId: orNull(text),
  traceId: orNull(text),
  worker: orNull(whole),
  aggregate: text,
  at: text,
  ms: time,
  state: fc.constantFrom('complete' as const, 'partial' as const, 'failed' as const, 'cancelled' as const),
  status: orNull(whole),
  code: orNull(text),
  isSlow: fc.boolean(),
  caller: fc.constantFrom('waited' as const, 'left' as const, 'cut' as const),
  upstreams: fc.array(text),
  lost: fc.array(fc.record({ step: text, code: text })),
})
const more = fc.record({ complete: whole, partial: whole, failed: whole, cancelled: whole })
const breakerState = fc.constantFrom('closed' as const, 'open' as const, 'half-open' as const, 'none' as const)
const breakerChange = fc.record({
  type: fc.constant('breaker' as const),
  at: time,
  upstream: text,
  from: breakerState,
  to: breakerState,
})

const fromWorker: fc.Arbitrary<FromWorker> = fc.oneof(
  fc.constant({ kind: 'alive' } as const),
  fc.record({ kind: fc.constant('listening' as const), port: fc.nat(65_535), drainMs: fc.nat(600_000) }),
  fc.record({ kind: fc.constant('failed' as const), failure }),
  fc.record({ kind: fc.constant('lost' as const), lines: whole }),
  fc.record({ kind: fc.constant('count' as const), id: whole, client: fc.string(), calls: fc.nat(1000) }),
  fc.record({ kind: fc.constant('series' as const), chunk }),
  fc.record({ kind: fc.constantFrom('collected' as const, 'notAnswered' as const), id: whole }),
  fc.record({ kind: fc.constant('answered' as const), id: whole, text: fc.string(), isLast: fc.boolean() }),
  fc.record({ kind: fc.constant('sample' as const), sample }),
  fc.record({ kind: fc.constant('kept' as const), rows: fc.array(row), more }),
  fc.record({ kind: fc.constant('breaker' as const), change: breakerChange }),
  fc.record({
    kind: fc.constant('render' as const),
    id: whole,
    format: fc.constantFrom('prometheus' as const, 'openmetrics' as const),
  }),
)
const toWorker: fc.Arbitrary<ToWorker> = fc.oneof(
  fc.record({ kind: fc.constant('stop' as const), mode: fc.constantFrom('drain' as const, 'replace' as const) }),
  fc.record({ kind: fc.constant('lost' as const), lines: whole }),
  fc.record({
    kind: fc.constant('counted' as const),
    id: whole,
    current: whole,
    ttl: time,
  }),
  fc.record({ kind: fc.constantFrom('collect' as const, 'notRendered' as const), id: whole }),
  fc.record({ kind: fc.constant('rendered' as const), id: whole, text: fc.string(), isLast: fc.boolean() }),
  fc.record({ kind: fc.constant('ask' as const), id: whole, topic: fc.constantFrom(...topics), text: fc.string() }),
  fc.record({ kind: fc.constant('watch' as const), every: fc.integer({ min: 1, max: 60_000 }), rows: fc.boolean() }),
)
const task: fc.Arbitrary<WorkerAssignment> = fc.record({
  index: fc.nat(7),
  count: fc.constant(8),
  host: fc.string(),
  port: fc.nat(65_535),
  demoUpstreams: fc.option(fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }), { nil: undefined }),
  mark: fc.string({ minLength: 1 }),
  heartbeatMs: whole,
  service: fc.string({ minLength: 1 }),
})

/** Values that no field of a message may have. */
const wrong = fc.constantFrom<unknown>(
  null,
  undefined,
  true,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 60,
  '',
  '1',
  'other',
  [],
  {},
  { name: 1, message: '' },
)

const both = [
  ['a worker', fromWorker, readFromWorker],
  ['the primary', toWorker, readToWorker],
] as const
const sent = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

for (const [sender, messages, read] of both) {
  test(`a message of ${sender} arrives as it was sent`, async t => {
    fc.assert(
      fc.property(messages as fc.Arbitrary<FromWorker | ToWorker>, message => {
        t.same(sent(read(sent(marked(message, mark)), mark)), sent(message))
      }),
      { numRuns: 300 },
    )
  })

  test(`a value that is not of ${sender} is not a message, whatever it is`, async t => {
    fc.assert(
      fc.property(fc.anything(), value => {
        t.equal(read(value, mark), undefined)
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(messages as fc.Arbitrary<object>, fc.string(), (message, other) => {
        t.equal(read(message, mark), undefined, 'without the mark')
        t.equal(read({ ...message, headwaters: `${mark}${other}x` }, mark), undefined, 'with another mark')
      }),
      { numRuns: 300 },
    )
  })

  test(`a near miss of a message of ${sender} is not a message: a field that is missing, or of a wrong type or range`, async t => {
    fc.assert(
      fc.property(
        messages as fc.Arbitrary<Readonly<Record<string, unknown>>>,
        fc.nat(),
        wrong,
        (message, at, value) => {
          const names = Object.keys(message)
          const name = names[at % names.length] as string
          // A client and a text are any text, and a time any number from 0 on.
          const isRight =
            name === 'client' || name === 'text'
              ? typeof value === 'string'
              : (name === 'ttl' && (value === 1.5 || value === 2 ** 60)) ||
                ((name === 'isLast' || name === 'rows') && value === true) ||
                (message['kind'] === 'kept' && name === 'rows' && Array.isArray(value))
          const { [name]: _removed, ...less } = message
          t.equal(read(marked(less as never, mark), mark), undefined, `without ${name}`)
          if (!isRight)
            t.equal(
              read(marked({ ...message, [name]: value } as never, mark), mark),
              undefined,
              `${name} is ${String(value)}`,
            )
        },
      ),
      { numRuns: 1000 },
    )
  })
}

test('a failure has texts only', async t => {
  for (const failure of [
    null,
    [],
    'Error',
    { name: 'Error' },
    { message: 'a' },
    { name: 1, message: 'a' },
    { name: 'Error', message: 'a', stack: 1 },
    { name: 'Error', message: 'a', code: {} },
  ]) {
    t.equal(readFromWorker({ headwaters: mark, kind: 'failed', failure }, mark), undefined)
  }
})

test('a chunk of series with one wrong part is ignored', async t => {
  fc.assert(
    fc.property(chunk, fc.nat(), fc.nat(), wrong, (value, at, inner, other) => {
      const read = (near: object) => readFromWorker({ headwaters: mark, kind: 'series', chunk: near }, mark)
      t.same(read(value), { kind: 'series', chunk: value })
      const names = Object.keys(value)
      const name = names[at % names.length] as keyof SeriesChunk
      const { [name]: _removed, ...less } = value
      t.equal(read(less), undefined, `without ${name}`)
      const isEmptyList = Array.isArray(other) && ['labels', 'values', 'exemplars'].includes(name)
      if (!isEmptyList) t.equal(read({ ...value, [name]: other }), undefined, `${name} is ${String(other)}`)
      const fields = Object.keys(value.family)
      const field = fields[inner % fields.length] as string
      const { [field as 'name']: _gone, ...lessFamily } = value.family
      // Without `merge`, values are summed.
      if (field !== 'merge') t.equal(read({ ...value, family: lessFamily }), undefined, `a family without ${field}`)
      if (typeof other === 'object' && !Array.isArray(other))
        t.equal(read({ ...value, family: { ...value.family, [field]: other } }), undefined)
    }),
    { numRuns: 500 },
  )
  const right = { family: { name: '', help: '', type: 'gauge', labels: [], merge: 'sum' }, from: 0 }
  const lists = { labels: [], values: [], exemplars: [] }
  for (const near of [
    { labels: [1] },
    { labels: 'a' },
    { values: ['1'] },
    { values: [Number.NaN] },
    { values: { length: 1, 0: 1 } },
    { exemplars: [null] },
    { exemplars: [{ at: -1, traceId: '', value: 1, time: 1 }] },
    { exemplars: [{ at: 0, traceId: 1, value: 1, time: 1 }] },
    { exemplars: [{ at: 0, traceId: '', value: null, time: 1 }] },
    { exemplars: [{ at: 0, traceId: '', value: 1, time: -1 }] },
    { family: { ...right.family, type: 'summary' } },
    { family: { ...right.family, merge: 'average' } },
    { family: { ...right.family, type: 'histogram' } },
    { family: { ...right.family, type: 'histogram', buckets: ['1'] } },
  ])
    t.equal(
      readFromWorker({ headwaters: mark, kind: 'series', chunk: { ...right, ...lists, ...near } }, mark),
      undefined,
      JSON.stringify(near),
    )
})

test('a kept run and a breaker change with one wrong field are ignored', async t => {
  const counts = { complete: 0, partial: 0, failed: 0, cancelled: 0 }
  fc.assert(
    fc.property(row, fc.nat(), wrong, (value, at, other) => {
      const read = (near: object) =>
        readFromWorker({ headwaters: mark, kind: 'kept', rows: [value, near], more: counts }, mark)
      t.same(read(value), { kind: 'kept', rows: [value, value], more: counts })
      const names = Object.keys(value)
      const name = names[at % names.length] as keyof RunRow
      const { [name]: _removed, ...less } = value
      t.equal(read(less), undefined, `without ${name}`)
      const isText = ['id', 'requestId', 'traceId', 'aggregate', 'at', 'code'].includes(name)
      const isRight =
        (other === null && ['requestId', 'traceId', 'worker', 'status', 'code'].includes(name)) ||
        (typeof other === 'string' && isText) ||
        (name === 'ms' && (other === 1.5 || other === 2 ** 60)) ||
        (name === 'isSlow' && other === true) ||
        (Array.isArray(other) && (name === 'upstreams' || name === 'lost'))
      if (!isRight) t.equal(read({ ...value, [name]: other }), undefined, `${name} is ${String(other)}`)
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(row, wrong, (value, other) => {
      const read = (near: object) =>
        readFromWorker({ headwaters: mark, kind: 'kept', rows: [], more: counts, ...near }, mark)
      t.equal(read({ rows: [{ ...value, upstreams: [1] }] }), undefined)
      t.equal(read({ rows: [{ ...value, lost: [other] }] }), undefined)
      t.equal(read({ more: { ...counts, failed: other } }), undefined)
    }),
  )
  fc.assert(
    fc.property(breakerChange, wrong, (change, other) => {
      const read = (near: object) =>
        readFromWorker({ headwaters: mark, kind: 'breaker', change: { ...change, ...near } }, mark)
      for (const name of ['from', 'to']) t.equal(read({ [name]: other }), undefined)
      if (typeof other !== 'string') t.equal(read({ upstream: other }), undefined)
      if (typeof other !== 'number') t.equal(read({ at: other }), undefined)
    }),
  )
  for (const every of [0, -1, 60_001, 1.5])
    t.equal(readToWorker({ headwaters: mark, kind: 'watch', every, rows: true }, mark), undefined)
})

test('an assignment is read as it was written, and any other text of its variable is ignored', async t => {
  fc.assert(
    fc.property(task, value => {
      t.same(sent(readAssignment(JSON.stringify(value))), sent(value))
    }),
  )
  fc.assert(
    fc.property(fc.string(), text => {
      t.equal(readAssignment(text), undefined)
    }),
  )
  fc.assert(
    fc.property(task, fc.nat(), wrong, (value, at, other) => {
      const names = Object.keys(value).filter(name => name !== 'demoUpstreams')
      const name = names[at % names.length] as keyof WorkerAssignment
      const { [name]: _removed, ...less } = value
      t.equal(readAssignment(JSON.stringify(less)), undefined, `without ${name}`)
      if (typeof other !== typeof value[name])
        t.equal(readAssignment(JSON.stringify({ ...value, [name]: other })), undefined, `${name} is ${String(other)}`)
    }),
  )
  const right = { index: 0, count: 1, host: '', port: 0, mark: 'a', heartbeatMs: 0, service: 'b' }
  t.same(readAssignment(JSON.stringify(right)), { ...right, demoUpstreams: undefined })
  for (const near of [
    { index: 1 },
    { count: 0 },
    { port: 65_536 },
    { mark: '' },
    { heartbeatMs: -1 },
    { service: '' },
    { service: 1 },
    { demoUpstreams: 'a' },
    { demoUpstreams: { a: 1 } },
  ])
    t.equal(readAssignment(JSON.stringify({ ...right, ...near })), undefined)
  t.equal(readAssignment(undefined), undefined)
})
