import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { Pool } from 'undici'
import { test, type Test } from 'tap'
import { UpstreamError } from '../../../src/errors.ts'
import { Abort } from '../../../src/core/abort.ts'
import { dispatch, keyOf } from '../../../src/upstream/transport/dispatch.ts'
import type { ResponseHeaders } from '../../../src/upstream/transport/response-headers.ts'
import { attempt } from '../../../src/upstream/policies/attempt.ts'
import { createMemoryStore } from '../../../src/upstream/policies/cache/memory-store.ts'
import { authorize } from '../../../src/upstream/auth/authorize.ts'
import { balance, type BalancedOrigin } from '../../../src/upstream/origins/balance.ts'
import { createBalancer } from '../../../src/upstream/origins/balancer.ts'
import { listedEndpoint } from '../../../src/upstream/origins/endpoints.ts'
import { breaker } from '../../../src/upstream/policies/breaker/breaker.ts'
import { bulkhead, type BulkheadGauge } from '../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { invalidate } from '../../../src/upstream/policies/cache/invalidate.ts'
import { Invalidations } from '../../../src/upstream/policies/cache/invalidations.ts'
import { cache } from '../../../src/upstream/policies/cache/cache.ts'
import type { CacheStore } from '../../../src/upstream/policies/cache/store.ts'
import { closeStreams } from '../../../src/upstream/policies/close-streams.ts'
import { coalesce } from '../../../src/upstream/policies/coalesce.ts'
import { deadline } from '../../../src/upstream/policies/deadline.ts'
import { redirect } from '../../../src/upstream/policies/redirect.ts'
import { statusAnswers } from '../../../src/upstream/policies/status-answers.ts'
import { keyBatch } from '../../../src/upstream/policies/key-batch/key-batch.ts'
import { observe } from '../../../src/upstream/policies/observe.ts'
import { custom } from '../../../src/upstream/policies/custom/custom.ts'
import { RetryBudget } from '../../../src/upstream/policies/retry/retry-budget.ts'
import { retry } from '../../../src/upstream/policies/retry/retry.ts'
import { balanceSpec } from '../../../src/upstream/spec/balance-spec.ts'
import { testRun, type TestRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { farStore } from '../../helpers/far-store.ts'
import { heldService } from '../../helpers/held-service.ts'
import { pricedUpstream } from '../../helpers/priced-upstream.ts'
import { questions } from '../../helpers/questions.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { type Service, type Layer, stack, sendOf, serviceOf } from '../../../src/upstream/call/layer.ts'
import { hedge } from '../../../src/upstream/policies/hedge/hedge.ts'

/** The differences between subjects that the contract allows. */
interface Traits {
  /** The layers of `src/upstream/client.ts` that the subject is for. @default [] */
  readonly covers?: readonly string[]
  /** How many of three equal calls of one run reach the service below at once. @default 3 */
  readonly atOnce?: number
  /** How often a call is sent at once. @default 1 */
  readonly sends?: number
  /** How often a call is sent when each time fails. @default `sends` */
  readonly repeats?: number
  /** Whether a second equal call may be answered from the first. @default false */
  readonly mayAnswerWithoutNext?: boolean
  /** Whether an answer takes promises, and so comes in a later turn than that of the service below. @default false */
  readonly usesPromises?: boolean
  /** Whether calls are those of one key, whose value is the whole answer. @default false */
  readonly isKeyed?: boolean
  /** Whether the bottom is a real connection, with timers and errors of its own. @default false */
  readonly isWire?: boolean
}

/** A service under test, and control of the service below it. */
interface Subject {
  readonly service: Service
  /** Resolves when `count` calls have reached the bottom. */
  readonly reached: (count: number) => Promise<unknown>
  /** How many calls have reached the bottom. */
  readonly sent: number
  readonly answer: (value: unknown, head?: ResponseHeaders) => void
  readonly fail: (error: UpstreamError) => void
  readonly gauge?: BulkheadGauge
}

interface Layers {
  readonly layers: readonly Layer[]
  readonly gauge?: BulkheadGauge
}

const upstream = 'nobody'
const address = { name: upstream, origin: 'http://127.0.0.1:9', prefix: '' }
const counts = () => ({ calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, queuedMs: 0 })

function above({ layers, gauge }: Layers): Subject {
  const bottom = heldService()
  return {
    service: stack(layers, bottom.service),
    reached: bottom.arrived,
    get sent() {
      return bottom.taken
    },
    answer: (value, head) => bottom.held[0]?.answer(value, 203, head),
    fail: error => bottom.held[0]?.fail(error),
    ...(gauge && { gauge }),
  }
}

const budget = () => new RetryBudget()
/** A retry goes on only after an attempt that was sent, which the layer below it notes. */
const retried = (maxAttempts: number): readonly Layer[] => [
  retry({ maxAttempts, initialDelay: 0, maxDelay: 0, budget: budget() }),
  attempt({ upstream, timeout: 90_000 }),
]
const hedged = (delay: number) => hedge({ delay, percentile: 98, maxRatio: 1, budget: budget() })
const passing = custom(next => call => next(call), 'attempt', address)
const waiting = custom(next => async call => next(call.with({ headers: { 'x-a': '1' } })), 'call', address)
const redirecting = redirect({ upstream, origin: address.origin, prefix: '', credential: undefined, limit: 3 })
const token = () => Promise.resolve({ value: 'token', livesMs: 60_000 })

const invalidations = new Invalidations({ shared: farStore().store })
const invalidating = invalidate({ origin: address.origin, base: address.origin, invalidations, onFault() {} })

function cached(t: Test, store: CacheStore): readonly Layer[] {
  const {
    layer,
    replicaFlights = next => next,
    close,
  } = cache({
    upstream,
    store,
    keyOf,
    base: address.origin,
    invalidations: new Invalidations(),
    refreshLimit: 30_000,
  })
  t.teardown(close)
  return [layer, coalesce({ keyOf }), replicaFlights]
}

function closed(): Layer {
  return breaker({ upstream, failureRatio: 0.5, minimumCalls: 20, window: 10_000, openDuration: 5000 }).layer
}

/** A circuit breaker that has opened, and whose next call is a trial. */
async function halfOpen(): Promise<Layer> {
  let now = 0
  const { layer } = breaker({
    upstream,
    failureRatio: 0.5,
    minimumCalls: 1,
    window: 10_000,
    openDuration: 5000,
    now: () => now,
  })
  const broken = layer(call => {
    call.attempt.sent = true
    return Promise.reject(new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus: 500 }))
  })
  await failure(broken(testRun().ask(questions.ask())))
  now = 6000
  return layer
}

function onePermit(): Layers {
  const { layer, gauge } = bulkhead({ upstream, concurrency: 1, maxQueue: 10 })
  return { layers: [layer], gauge }
}

/** A choice among three origins. */
function balanced(): Layer {
  const balancer = createBalancer<BalancedOrigin>({ balance: balanceSpec(upstream, {}) })
  const endpoints = [1, 2, 3].map(port => {
    const origin = `http://127.0.0.1:${port}`
    return listedEndpoint({ origin, weight: 1, addresses: false, srv: undefined })
  })
  const bottom = () => {
    throw new Error('the requests of this test are held above')
  }
  balancer.set(endpoints, ({ url }) => ({
    text: url.origin,
    server: { address: url.hostname, port: Number(url.port), base: url.origin },
    send: bottom,
  }))
  return balance({ balancer, wait: bottom, released: member => balancer.released(member) })
}

/** Every layer, in the order of `src/upstream/client.ts`. */
function everyLayer(t: Test): Layers {
  const { layers, gauge } = onePermit()
  return {
    layers: [
      observe(counts()),
      closeStreams(),
      deadline({ upstream, deadline: 40_000 }),
      invalidating,
      waiting,
      statusAnswers(),
      ...cached(t, createMemoryStore()),
      keyBatch({ keyOf }),
      retry({ maxAttempts: 2, initialDelay: 0, maxDelay: 0, budget: budget() }),
      hedged(20_000),
      closed(),
      ...layers,
      balanced(),
      attempt({ upstream, timeout: 30_000 }),
      authorize({ fetchToken: token, use: () => {} }),
      redirecting,
      passing,
    ],
    ...(gauge && { gauge }),
  }
}

type Case = Traits & { readonly arrange: ((t: Test) => Layers | Promise<Layers>) | ((t: Test) => Promise<Subject>) }

const layersOnly = (...layers: Layer[]): Layers => ({ layers })

const subjects: Readonly<Record<string, Case>> = {
  'no layer': { arrange: () => layersOnly() },
  'a layer that adds nothing': { arrange: () => layersOnly(next => next) },
  observe: { covers: ['observe'], arrange: () => layersOnly(observe(counts())) },
  'the layer that closes streams': { covers: ['closeStreams'], arrange: () => layersOnly(closeStreams()) },
  "a deadline nearer than the run's": {
    covers: ['deadline'],
    arrange: () => layersOnly(deadline({ upstream, deadline: 30_000 })),
  },
  "a deadline later than the run's": { arrange: () => layersOnly(deadline({ upstream, deadline: 90_000 })) },
  'an invalidation of what unsafe calls change': {
    covers: ['invalidate'],
    arrange: () => layersOnly(invalidating),
  },
  'a custom layer at a call, which waits': {
    covers: ["custom at 'call'"],
    usesPromises: true,
    arrange: () => layersOnly(waiting),
  },
  'the answers of listed failures': { covers: ['statusAnswers'], arrange: () => layersOnly(statusAnswers()) },
  'a cache above coalesce': {
    covers: ['cache'],
    atOnce: 1,
    mayAnswerWithoutNext: true,
    usesPromises: true,
    arrange: t => layersOnly(...cached(t, createMemoryStore())),
  },
  'a cache above coalesce whose store answers later': {
    atOnce: 1,
    mayAnswerWithoutNext: true,
    usesPromises: true,
    arrange: t => layersOnly(...cached(t, farStore().store)),
  },
  coalesce: { covers: ['coalesce'], atOnce: 1, usesPromises: true, arrange: () => layersOnly(coalesce({ keyOf })) },
  'a call that replicas share': {
    covers: ['replicaFlights'],
    atOnce: 1,
    mayAnswerWithoutNext: true,
    usesPromises: true,
    arrange: t => layersOnly(...cached(t, farStore().store)),
  },
  'a batch of keys': {
    covers: ['keyBatch'],
    atOnce: 1,
    isKeyed: true,
    usesPromises: true,
    arrange: () => layersOnly(keyBatch({ keyOf })),
  },
  'a batch of keys without keys': { arrange: () => layersOnly(keyBatch({ keyOf })) },
  'a retry that has attempts left': { covers: ['retry'], repeats: 3, arrange: () => layersOnly(...retried(3)) },
  'a retry that has none left': { arrange: () => layersOnly(...retried(1)) },
  'a hedge whose second attempt is not due': {
    covers: ['hedge'],
    usesPromises: true,
    arrange: () => layersOnly(hedged(20_000)),
  },
  'a hedge whose second attempt is sent': { sends: 2, usesPromises: true, arrange: () => layersOnly(hedged(1)) },
  'a breaker that is closed': { covers: ['breaker'], arrange: () => layersOnly(closed()) },
  'a breaker that is half-open': { arrange: async () => layersOnly(await halfOpen()) },
  bulkhead: { covers: ['bulkhead'], atOnce: 1, arrange: onePermit },
  'a choice among origins': { covers: ['balance'], arrange: () => layersOnly(balanced()) },
  'an attempt with a timer': {
    covers: ['attempt'],
    arrange: () => layersOnly(attempt({ upstream, timeout: 30_000 })),
  },
  'an attempt without one': { arrange: () => layersOnly(attempt({ upstream, timeout: 90_000 })) },
  authorize: {
    covers: ['authorize'],
    usesPromises: true,
    arrange: () => layersOnly(authorize({ fetchToken: token, use: () => {} })),
  },
  'a redirect that is not needed': { covers: ['redirect'], arrange: () => layersOnly(redirecting) },
  'a custom layer at an attempt, which hands on': {
    covers: ["custom at 'attempt'"],
    usesPromises: true,
    arrange: () => layersOnly(passing),
  },
  'every layer': { atOnce: 1, repeats: 2, mayAnswerWithoutNext: true, usesPromises: true, arrange: everyLayer },
  dispatch: { isWire: true, usesPromises: true, arrange: onTheWire },
}

async function onTheWire(t: Test): Promise<Subject> {
  const replies: ((bytes: Buffer) => void)[] = []
  const raw = await rawUpstream(t, socket => replies.push(bytes => socket.write(bytes)))
  const pool = new Pool(raw.origin, { connections: 3 })
  t.teardown(() => pool.destroy())
  return {
    service: dispatch(pool, ''),
    reached: raw.asked,
    get sent() {
      return raw.requests.length
    },
    answer: value => replies.shift()?.(json(value, 203)),
    fail: () => replies.shift()?.(json({}, 500)),
  }
}

/** The layers in the list of `src/upstream/client.ts`, by the name of the function that makes each. */
async function layersOfClient(): Promise<string[]> {
  const source = await readFile(new URL('../../../src/upstream/client.ts', import.meta.url), 'utf8')
  const [, list] = /const layers\b[^=]*= \[\n(.*?)\n {2}\]/s.exec(source) ?? []
  if (list === undefined) throw new Error('client.ts has no list of layers')
  const makers = new Map(
    Array.from(source.matchAll(/const (\w+) =\s+(?:spec\.\w+ &&\s+)?(\w+)\(\{/g), ([, name, maker]) => [name, maker]),
  )
  return list
    .replaceAll(/\/\/.*$/gm, '')
    .split(/,\s*$/m)
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
    .map(entry => {
      const position = /^\.\.\.customAt\('(\w+)'\)$/.exec(entry)?.[1]
      if (position !== undefined) return `custom at '${position}'`
      const variable = /(\w+)\.layer$/.exec(entry)?.[1]
      const name = variable === undefined ? /(\w+)(?:\(|\s\?\?)/.exec(entry)?.[1] : makers.get(variable)
      if (name === undefined) throw new Error(`client.ts has a layer that no maker is known of: ${entry}`)
      return name
    })
}

test('every layer of a client is a subject of this contract, in the order of the client', async t => {
  t.same(
    Object.values(subjects).flatMap(({ covers = [] }) => covers),
    await layersOfClient(),
  )
})

const { whole } = pricedUpstream(3)
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

for (const [name, traits] of Object.entries(subjects)) {
  const {
    atOnce = 3,
    sends = 1,
    repeats = sends,
    mayAnswerWithoutNext = false,
    usesPromises = false,
    isKeyed = false,
    isWire = false,
  } = traits
  const question = (run: TestRun, abort = run.abort) =>
    run.ask(isKeyed ? whole('one') : questions[mayAnswerWithoutNext ? 'kept' : 'shared']({ id: 'one' }), { abort })

  async function arrange(t: Test): Promise<Subject> {
    const made = await traits.arrange(t)
    return 'service' in made ? made : above(made)
  }

  const timersNow = () => (isWire ? undefined : timers())

  test(`${name}: an answer goes through with its status, and nothing stays behind`, async t => {
    const subject = await arrange(t)
    const before = timersNow()
    const run = testRun()
    const asked = subject.service(question(run))
    await subject.reached(sends)
    t.ok(run.abort.size > 0, 'the call listens while it is under way')
    subject.answer({ well: true })
    t.match(await asked, { value: { well: true }, status: 203 })
    leftNothing(t, subject, [run.abort], before)
  })

  test(`${name}: an upstream's failure goes through untouched, and nothing stays behind`, async t => {
    const subject = await arrange(t)
    const before = timersNow()
    const run = testRun()
    const asked = failure(subject.service(question(run)))
    const error = new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus: 500 })
    for (let time = 1; time <= repeats; time++) {
      await subject.reached(Math.max(time, sends))
      subject.fail(error)
    }
    if (isWire) t.match(await asked, { code: 'UPSTREAM_STATUS', upstreamStatus: 500 })
    else t.equal(await asked, error)
    t.equal(subject.sent, repeats)
    leftNothing(t, subject, [run.abort], before)
  })

  test(`${name}: a caller that was gone before costs nothing and gets its own reason`, async t => {
    const subject = await arrange(t)
    const before = timersNow()
    const run = testRun()
    const reason = { gone: 'before' }
    run.abort.abort(reason)
    t.equal(await failure(settled(subject, subject.service(question(run)))), reason)
    t.equal(subject.sent, 0, 'nothing was sent')
    leftNothing(t, subject, [run.abort], before)
  })

  test(`${name}: callers that leave while they wait or are under way get their own reasons at once`, async t => {
    const subject = await arrange(t)
    const before = timersNow()
    const run = testRun()
    const aborts = [new Abort(), new Abort(), new Abort()]
    const asked = aborts.map(abort => failure(subject.service(question(run, abort))))
    await subject.reached(atOnce * sends)
    const reasons = aborts.map((_, at) => new Error(`caller ${at} left`))
    // The last first, so that those who wait leave while the first is under way.
    for (const at of [2, 1, 0]) aborts[at]?.abort(reasons[at])
    const got = await Promise.all(asked)
    for (const at of [0, 1, 2]) t.equal(got[at], reasons[at], `caller ${at}`)
    leftNothing(t, subject, aborts, before)
  })

  test(`${name}: a second call is ${mayAnswerWithoutNext ? 'answered from the first' : 'sent too'}`, async t => {
    const subject = await arrange(t)
    const before = timersNow()
    const run = testRun()
    const first = subject.service(question(run))
    await subject.reached(sends)
    subject.answer('first', { 'cache-control': 'max-age=60' })
    t.match(await first, { value: 'first' })
    const second = subject.service(question(run))
    if (!mayAnswerWithoutNext) {
      await subject.reached(2 * sends)
      subject.answer('second')
    }
    t.match(await second, { value: mayAnswerWithoutNext ? 'first' : 'second' })
    // A cache may still be writing to its store, under a time limit.
    leftNothing(t, subject, [run.abort], mayAnswerWithoutNext ? undefined : before)
  })

  if (!usesPromises)
    test(`${name}: an answer comes in the turn in which the service below gives it`, async t => {
      const made = (await traits.arrange(t)) as Layers
      const send = sendOf(
        stack(
          made.layers,
          serviceOf((_call, completion) => completion.resolve({ value: 'now' as never, status: 200 })),
        ),
      )
      const values: unknown[] = []
      send(question(testRun()), {
        resolve: ({ value }) => values.push(value),
        reject: error => values.push(error),
      })
      t.same(values, ['now'])
    })
}

/** Ends a call that must not reach the bottom, so that the test fails by its assertion. */
async function settled(subject: Subject, asked: Promise<unknown>): Promise<unknown> {
  void setImmediate().then(() => {
    if (subject.sent > 0) subject.answer('sent')
  })
  return asked
}

function leftNothing(t: Test, subject: Subject, aborts: readonly Abort[], timersBefore: number | undefined): void {
  t.same(
    aborts.map(abort => abort.size),
    aborts.map(() => 0),
    'no listener',
  )
  if (timersBefore !== undefined) t.equal(timers(), timersBefore, 'no timer')
  if (subject.gauge !== undefined) t.match(subject.gauge, { active: 0, queued: 0 }, 'no permit')
}
