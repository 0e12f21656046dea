import { Pool } from 'undici'
import { test, type Test } from 'tap'
import { UpstreamError } from '../../../src/errors.ts'
import { Abort } from '../../../src/core/abort.ts'
import { dispatch, keyOf } from '../../../src/upstream/transport/dispatch.ts'
import { attempt } from '../../../src/upstream/policies/attempt.ts'
import { createMemoryStore } from '../../../src/upstream/policies/cache/memory-store.ts'
import { authorize } from '../../../src/upstream/auth/authorize.ts'
import { bulkhead, type BulkheadGauge } from '../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { cache } from '../../../src/upstream/policies/cache/cache.ts'
import { coalesce } from '../../../src/upstream/policies/coalesce.ts'
import { deadline } from '../../../src/upstream/policies/deadline.ts'
import { stack, type Layer, type Service } from '../../../src/upstream/policies/layer.ts'
import { observe } from '../../../src/upstream/policies/observe.ts'
import { custom } from '../../../src/upstream/policies/custom/custom.ts'
import { testRun, type TestRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { farStore } from '../../helpers/far-store.ts'
import { heldService } from '../../helpers/held-service.ts'
import { questions } from '../../helpers/questions.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'

/** What the contract is tried on: a service, and a hand on what answers below it. */
interface Subject {
  readonly service: Service
  /** Resolves when as many calls as that have reached the bottom. */
  readonly reached: (count: number) => Promise<unknown>
  /** How many have. */
  readonly sent: number
  readonly answer: (value: unknown) => void
  readonly fail: (error: UpstreamError) => void
  readonly gauge?: BulkheadGauge
}

const upstream = 'nobody'
const place = { name: upstream, origin: 'http://127.0.0.1:9', prefix: '' }
const counts = () => ({ calls: 0, ok: 0, failed: 0, ignored: 0, attempts: 0, waitedMs: 0 })

function above(layers: readonly Layer[], gauge?: BulkheadGauge): Subject {
  const bottom = heldService()
  return {
    service: stack(layers, bottom.service),
    reached: bottom.arrived,
    get sent() {
      return bottom.taken
    },
    answer: value => bottom.held[0]?.answer(value, 203),
    fail: error => bottom.held[0]?.fail(error),
    ...(gauge && { gauge }),
  }
}

function onePermit(...inside: readonly Layer[]): Subject {
  const { layer, gauge } = bulkhead({ upstream, concurrency: 1, maxQueue: 10 })
  return above([layer, ...inside], gauge)
}

const subjects: Readonly<Record<string, (t: Test) => Subject | Promise<Subject>>> = {
  'no layer': () => above([]),
  'a layer that adds nothing': () => above([next => next]),
  observe: () => above([observe(counts())]),
  "a deadline nearer than the run's": () => above([deadline({ upstream, deadline: 30_000 })]),
  "a deadline later than the run's": () => above([deadline({ upstream, deadline: 90_000 })]),
  'a cache above coalesce': () =>
    above([cache({ upstream, store: createMemoryStore(), keyOf, refreshLimit: 30_000 }).layer, coalesce({ keyOf })]),
  'a cache above coalesce whose store answers later': () =>
    above([cache({ upstream, store: farStore().store, keyOf, refreshLimit: 30_000 }).layer, coalesce({ keyOf })]),
  coalesce: () => above([coalesce({ keyOf })]),
  bulkhead: () => onePermit(),
  'an attempt with a timer': () => above([attempt({ upstream, timeout: 30_000 })]),
  'an attempt without one': () => above([attempt({ upstream, timeout: 90_000 })]),
  'a custom layer that hands on': () => above([custom(next => call => next(call), 'attempt', place)]),
  'a custom layer that waits': () =>
    above([custom(next => async call => next(call.with({ headers: { 'x-a': '1' } })), 'call', place)]),
  authorize: () =>
    above([authorize({ fetchToken: () => Promise.resolve({ value: 'token', livesMs: 60_000 }), use: () => {} })]),
  'all layers': () => {
    const { layer, gauge } = bulkhead({ upstream, concurrency: 1, maxQueue: 10 })
    return above(
      [
        observe(counts()),
        deadline({ upstream, deadline: 40_000 }),
        coalesce({ keyOf }),
        layer,
        attempt({ upstream, timeout: 30_000 }),
      ],
      gauge,
    )
  },
  dispatch: onTheWire,
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

const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

for (const [name, arrange] of Object.entries(subjects)) {
  const question = (run: TestRun, abort = run.abort) =>
    run.ask(questions[name.includes('cache') ? 'kept' : 'shared']({ id: 'one' }), { abort })

  test(`${name}: an answer goes through with its status, and nothing stays behind`, async t => {
    const subject = await arrange(t)
    const before = timers()
    const run = testRun()
    const asked = subject.service(question(run))
    await subject.reached(1)
    t.ok(run.abort.size > 0, 'the call listens while it is under way')
    subject.answer({ well: true })
    t.match(await asked, { value: { well: true }, status: 203 })
    leftNothing(t, subject, [run.abort], name === 'dispatch' ? undefined : before)
  })

  test(`${name}: an upstream's failure goes through untouched, and nothing stays behind`, async t => {
    const subject = await arrange(t)
    const before = timers()
    const run = testRun()
    const asked = failure(subject.service(question(run)))
    await subject.reached(1)
    const error = new UpstreamError('UPSTREAM_STATUS', upstream, { upstreamStatus: 500 })
    subject.fail(error)
    if (name === 'dispatch') t.match(await asked, { code: 'UPSTREAM_STATUS', upstreamStatus: 500 })
    else t.equal(await asked, error)
    leftNothing(t, subject, [run.abort], name === 'dispatch' ? undefined : before)
  })

  test(`${name}: a caller that was gone before costs nothing and gets its own reason`, async t => {
    const subject = await arrange(t)
    const before = timers()
    const run = testRun()
    const reason = { gone: 'before' }
    run.abort.abort(reason)
    t.equal(await failure(settled(subject, subject.service(question(run)))), reason)
    t.equal(subject.sent, 0, 'nothing was sent')
    leftNothing(t, subject, [run.abort], name === 'dispatch' ? undefined : before)
  })

  test(`${name}: callers that leave while they wait or are under way get their own reasons at once`, async t => {
    const subject = await arrange(t)
    const before = timers()
    const run = testRun()
    const aborts = [new Abort(), new Abort(), new Abort()]
    const asked = aborts.map(abort => failure(subject.service(question(run, abort))))
    await subject.reached(subject.gauge === undefined && !name.includes('coalesce') ? 3 : 1)
    const reasons = aborts.map((_, at) => new Error(`caller ${at} left`))
    // The last first, so that those who wait leave while the first is under way.
    for (const at of [2, 1, 0]) aborts[at]?.abort(reasons[at])
    const got = await Promise.all(asked)
    for (const at of [0, 1, 2]) t.equal(got[at], reasons[at], `caller ${at}`)
    leftNothing(t, subject, aborts, name === 'dispatch' ? undefined : before)
  })
}

/** Ends a call that ought never to have reached the bottom, so that the test can say so. */
function settled(subject: Subject, asked: Promise<unknown>): Promise<unknown> {
  setImmediate(() => {
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
