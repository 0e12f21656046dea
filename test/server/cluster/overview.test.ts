import fc from 'fast-check'
import { test } from 'tap'
import type { BreakerChange } from '../../../src/dashboard/protocol.ts'
import type { ProcessSample } from '../../../src/overview/process-sample.ts'
import type { FromWorker, OverviewMessage, ToWorker } from '../../../src/server/cluster/messages.ts'
import { OverviewChannel } from '../../../src/server/cluster/overview-channel.ts'
import { marked, readFromWorker } from '../../../src/server/cluster/read-message.ts'
import { RunningWorkers } from '../../../src/server/cluster/running-workers.ts'
import type { WorkerExit, WorkerProcess } from '../../../src/server/cluster/worker-process.ts'
import { WorkersOverview } from '../../../src/server/cluster/workers-overview.ts'
import { WorkerState } from '../../../src/server/cluster/worker-state.ts'
import type { RunRow } from '../../../src/waterfall/kept-run.ts'
import { elapsed, until } from '../../helpers/until.ts'

const row = (id: string, state: RunRow['state'] = 'failed'): RunRow => ({
  id,
  requestId: null,
  traceId: null,
  worker: 1,
  aggregate: 'cats',
  at: '2026-01-01T00:00:00.000Z',
  ms: 1,
  state,
  status: 502,
  code: null,
  isSlow: false,
  caller: 'waited',
  upstreams: [],
  lost: [],
})

/** The channel of a worker that counts its samples, and the runs that it keeps. */
function worker() {
  const sent: FromWorker[] = []
  const listeners = new Set<(row: RunRow) => void>()
  let delivered = Promise.resolve()
  const channel = new OverviewChannel(message => {
    sent.push(message)
    return delivered
  })
  let samples = 0
  const watched = {
    take: (): ProcessSample => {
      samples++
      return { upstreams: [], aggregates: [] }
    },
    onKept: (kept: (row: RunRow) => void) => {
      listeners.add(kept)
      return () => void listeners.delete(kept)
    },
  }
  return {
    channel,
    sent,
    watched,
    listeners,
    samples: () => samples,
    keep: (kept: RunRow) => {
      for (const listener of listeners) listener(kept)
    },
    kinds: () => sent.map(({ kind }) => kind),
    /** The primary reads no message before the returned function is called. */
    pause: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      delivered = promise
      return resolve
    },
  }
}

const change: BreakerChange = { type: 'breaker', at: 1, upstream: 'cats', from: 'closed', to: 'open' }

test('a worker that is not watched sends nothing, takes no sample and collects no rows', async t => {
  const { channel, sent, watched, listeners, samples } = worker()
  channel.handle({ kind: 'watch', every: 20, rows: true })
  await elapsed(60)
  t.same(sent, [], 'without a dashboard')
  channel.watched = watched
  channel.breakerChanged(change)
  channel.end()
  await elapsed(60)
  t.same(sent, [])
  t.equal(samples(), 0)
  t.equal(listeners.size, 0)
})

test('a watched worker sends a sample at each tick, and rows only while they are asked for', async t => {
  const { channel, sent, watched, listeners, keep, kinds, samples } = worker()
  channel.watched = watched
  channel.handle({ kind: 'watch', every: 20, rows: false })
  t.equal(listeners.size, 0)
  await until(() => samples() === 2)
  t.same(kinds(), ['sample', 'sample'])
  channel.handle({ kind: 'watch', every: 20, rows: true })
  channel.handle({ kind: 'watch', every: 20, rows: true })
  t.equal(listeners.size, 1)
  for (let index = 0; index < 30; index++) keep(row(String(index), index < 25 ? 'complete' : 'failed'))
  await until(() => kinds().includes('kept'))
  const kept = sent.find(message => message.kind === 'kept') as Extract<FromWorker, { kind: 'kept' }>
  t.equal(kept.rows.length, 20)
  t.equal(kept.rows.filter(({ state }) => state === 'failed').length, 5)
  t.same(kept.more, { complete: 10, partial: 0, failed: 0, cancelled: 0 })
  keep(row('left'))
  channel.handle({ kind: 'watch', every: 20, rows: false })
  t.equal(listeners.size, 0)
  const before = samples()
  await until(() => samples() > before + 1)
  t.equal(kinds().filter(kind => kind === 'kept').length, 1, 'rows that no dashboard reads are dropped')
})

test('a worker sends a breaker change at once, and its last sample at its end', async t => {
  const { channel, watched, kinds, samples, listeners } = worker()
  channel.watched = watched
  channel.handle({ kind: 'watch', every: 60_000, rows: true })
  channel.breakerChanged(change)
  t.same(kinds(), ['breaker'])
  channel.end()
  t.same(kinds(), ['breaker', 'sample'])
  t.equal(listeners.size, 0)
  channel.breakerChanged(change)
  channel.end()
  t.equal(samples(), 1)
})

test('a worker whose primary does not read sends one sample, and the counts of the pause with the next one', async t => {
  const { channel, watched, samples, kinds, keep, pause } = worker()
  channel.watched = watched
  const resume = pause()
  channel.handle({ kind: 'watch', every: 20, rows: true })
  await until(() => samples() === 1)
  keep(row('of the pause'))
  await elapsed(100)
  t.same(kinds(), ['sample'])
  t.equal(samples(), 1, 'what is not taken is counted further')
  resume()
  await until(() => samples() === 2)
  t.same(kinds(), ['sample', 'sample', 'kept'])
  channel.close()
})

test('a worker whose primary does not read sends its last sample when it ends', async t => {
  const { channel, watched, samples, kinds, pause } = worker()
  channel.watched = watched
  pause()
  channel.handle({ kind: 'watch', every: 20, rows: false })
  await until(() => samples() === 1)
  channel.end()
  t.same(kinds(), ['sample', 'sample'])
})

/** A worker process without a process: the test sends its messages and ends it. */
class ScriptedWorker implements WorkerProcess {
  readonly number: number
  readonly pid = undefined
  readonly state: WorkerState
  readonly lostLogLines = 0
  readonly sent: Omit<Extract<ToWorker, { kind: 'watch' }>, 'kind'>[] = []
  readonly #listening = Promise.withResolvers<number>()
  readonly #exited = Promise.withResolvers<WorkerExit>()
  readonly listening = this.#listening.promise
  readonly exited = this.#exited.promise

  constructor(number: number, now?: () => number) {
    this.number = number
    this.state = new WorkerState(now)
    this.listening.catch(() => {})
  }

  listen(): void {
    this.state.heard()
    this.state.listening()
    this.#listening.resolve(1)
  }

  kill(): void {
    this.#listening.reject(new Error('killed'))
    this.#exited.resolve({ code: null, signal: 'SIGKILL' })
  }

  stop(): Promise<WorkerExit> {
    this.state.stopping()
    return this.exited
  }

  sendLostLogLines(): void {}
  collectMetrics = async () => false
  ask = async () => `asked ${this.number}`

  watch(watch: { readonly every: number; readonly rows: boolean }): void {
    this.sent.push(watch)
  }
}

/** The overview of a service of workers, and a function that starts one. */
function service(count: number) {
  const running = new RunningWorkers(count)
  const overview = new WorkersOverview(running)
  return {
    overview,
    start: (number: number): ScriptedWorker => {
      const started = new ScriptedWorker(number)
      running.track(started)
      overview.track(started)
      return started
    },
  }
}

const upstreamRow = (name: string, count: number, permits: number) => ({
  name,
  counts: [count, count, count, 0, 0, 0, 0, 0, 0, 0],
  gauges: [permits, 8, 0, 1, 0, 0],
  latency: [3, count],
  failures: [['503', count]] as const,
})
const sampleOf = (count: number, permits: number): OverviewMessage => ({
  kind: 'sample',
  sample: { upstreams: [upstreamRow('cats', count, permits)], aggregates: [] },
})

test('workers are watched from the time at which they listen, and no worker before the primary watches', async t => {
  const { overview, start } = service(3)
  const [one, two, broken] = [start(1), start(2), start(3)]
  one.listen()
  await one.listening
  t.same(one.sent, [])
  overview.watch({ every: 1000, rows: false })
  t.same(one.sent, [{ every: 1000, rows: false }])
  t.same(two.sent, [])
  overview.watch({ every: 500, rows: true })
  two.listen()
  broken.kill()
  await two.listening
  t.same(one.sent.at(-1), { every: 500, rows: true })
  t.same(two.sent, [{ every: 500, rows: true }])
  t.same(broken.sent, [])
})

test('the counts of an exited worker stay in the sum, and its present values go', async t => {
  const { overview, start } = service(2)
  const [one, two] = [start(1), start(2)]
  overview.handle(one, sampleOf(3, 2))
  overview.handle(two, sampleOf(4, 1))
  t.same(
    overview.take().upstreams,
    [upstreamRow('cats', 7, 3)].map(each => ({ ...each, gauges: [3, 16, 0, 1, 0, 0] })),
  )
  overview.handle(one, sampleOf(5, 2))
  one.kill()
  t.match(overview.take().upstreams, [{ counts: [5], gauges: [3, 16, 0, 1, 0, 0] }], 'its last sample')
  let gauges: readonly number[] = []
  await until(() => {
    gauges = overview.take().upstreams[0]?.gauges ?? []
    return gauges.length > 0
  })
  t.same(gauges, [1, 8, 0, 1, 0, 0])
})

test('rows and breaker changes of all workers arrive', async t => {
  const { overview, start } = service(2)
  const [one, two] = [start(1), start(2)]
  const changes: BreakerChange[] = []
  overview.handle(one, { kind: 'breaker', change })
  overview.onBreakerChange = each => changes.push(each)
  overview.handle(two, { kind: 'breaker', change })
  t.same(changes, [change])
  const more = { complete: 2, partial: 0, failed: 0, cancelled: 0 }
  overview.handle(one, { kind: 'kept', rows: [row('a')], more })
  overview.handle(two, { kind: 'kept', rows: [row('b')], more })
  t.match(overview.takeRows(), { rows: [{ id: 'a' }, { id: 'b' }], more: { complete: 4 } })
  t.equal(overview.takeRows(), undefined)
})

test('each worker has a state, and a worker that is not running is starting', async t => {
  const { overview, start } = service(3)
  const [two, one] = [start(2), start(1)]
  one.listen()
  t.same(overview.states(), [
    { worker: 1, state: 'running' },
    { worker: 2, state: 'starting' },
    { worker: 3, state: 'starting' },
  ])
  const next = start(1)
  next.listen()
  void one.stop()
  two.kill()
  await two.exited
  t.same(overview.states(), [
    { worker: 1, state: 'stopping' },
    { worker: 1, state: 'running' },
    { worker: 2, state: 'starting' },
    { worker: 3, state: 'starting' },
  ])
})

test('one question goes to the first worker that runs, or to one that hangs if no other serves', async t => {
  const running = new RunningWorkers(2)
  const answer = () => running.askOne('explain', '')?.answer
  let now = 0
  const workers = [2, 1].map(number => {
    const worker = new ScriptedWorker(number, () => now)
    running.track(worker)
    return worker
  })
  const [two, one] = workers as [ScriptedWorker, ScriptedWorker]
  t.equal(running.askOne('explain', ''), undefined)
  two.listen()
  t.equal(await answer(), 'asked 2')
  one.listen()
  t.equal(await answer(), 'asked 1')
  now += 10_000
  two.state.heard()
  t.equal(await answer(), 'asked 2', 'the first one hangs')
  void two.stop()
  t.equal(await answer(), 'asked 1')
})

test('the sum of the samples of workers is the sample of one process that has counted the same', async t => {
  const count = fc.nat(1000)
  const step = fc.record({ worker: fc.nat(2), name: fc.constantFrom('cats', 'dogs'), count })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const { overview, start } = service(3)
      const workers = [start(1), start(2), start(3)]
      const alone = service(1)
      const single = alone.start(1)
      for (const { worker: index, name, count: each } of steps) {
        const message: OverviewMessage = {
          kind: 'sample',
          sample: { upstreams: [upstreamRow(name, each, 0)], aggregates: [] },
        }
        const sent = JSON.parse(JSON.stringify(marked(message, 'mark'))) as unknown
        overview.handle(workers[index] as ScriptedWorker, readFromWorker(sent, 'mark') as OverviewMessage)
        alone.overview.handle(single, message)
      }
      const sums = (all: WorkersOverview) =>
        all.take().upstreams.map(({ name, counts, latency, failures }) => ({ name, counts, latency, failures }))
      t.same(sums(overview), sums(alone.overview))
    }),
  )
})
