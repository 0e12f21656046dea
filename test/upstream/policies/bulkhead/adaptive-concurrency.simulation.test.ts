import { test, type Test } from 'tap'
import { adaptiveConcurrency } from '../../../../src/upstream/policies/bulkhead/adaptive-concurrency.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { testRun } from '../../../helpers/call.ts'
import { questions } from '../../../helpers/questions.ts'
import { randomOf } from '../../../helpers/random-of.ts'
import {
  SimulatedClock,
  simulatedUpstream,
  type SimulatedUpstreamOptions,
} from '../../../helpers/simulated-upstream.ts'

/** What was seen while the capacity was the same, from when the limit had settled. */
interface Phase {
  readonly capacity: number
  /** Rounds from the change until the limit was first within its bounds: answers, each as its share of the permits. */
  readonly rounds: number
  /** The same in ms. */
  readonly ms: number
  /** The mean of the permits. */
  readonly permits: number
  /** Answers, as a share of what the upstream can answer, or of what came where that is less. */
  readonly goodput: number
  /** Lost calls as a share of those that were sent. */
  readonly lost: number
  /** The mean time on the wire of a call that was answered, in ms. */
  readonly latency: number
  /** Answers a ms. */
  readonly rate: number
}

interface Scenario {
  readonly queue: number
  /** The mean of the work of one call, in ms. */
  readonly work: number
  /** Calls that come, as a share of what the upstream can answer. */
  readonly load: number
  /** A share of calls that fail whatever the load. */
  readonly noise?: number
  readonly fixed?: number
  /** Where the limit belongs, by the upstream's capacity. @default anywhere */
  readonly bounds?: (capacity: number) => readonly [least: number, most: number]
}

const phaseMs = 10_000
const settledMs = 5000
const timeout = 1000

/** An upstream of 20 hands that for a while has 8, and then 40. */
async function simulate(
  t: Test,
  { queue, work, load, noise = 0, fixed, bounds = () => [1, 200] }: Scenario,
): Promise<readonly Phase[]> {
  const random = randomOf(7)
  const clock = new SimulatedClock()
  // Log-normal, as latencies are: the slowest of a hundred takes two and a half times the mean.
  const workMs = () =>
    work * Math.exp(0.4 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) - 0.08)
  const upstream: SimulatedUpstreamOptions = { clock, capacity: 20, queue, workMs, timeout }
  const { layer, gauge } = bulkhead({
    upstream: 'nobody',
    concurrency: fixed ?? adaptiveConcurrency({ connections: 200, attemptTimeout: timeout }),
    maxQueue: 256,
  })
  const answer = simulatedUpstream(upstream)
  const service = layer(call => {
    const since = clock.now
    return (random() < noise ? busy(call) : answer(call)).then(
      well => {
        answers++
        rounds += 1 / gauge.concurrency
        latency += clock.now - since
        return well
      },
      error => {
        lost++
        throw error
      },
    )
  })
  const busy = simulatedUpstream({ ...upstream, capacity: 0, queue: 0 })
  let [came, answers, lost, latency, rounds, permits, samples] = [0, 0, 0, 0, 0, 0, 0]
  let changedAt = 0
  let settled = { rounds: Infinity, ms: Infinity }

  function arrive(): void {
    const start = clock.now
    came++
    service(testRun({ deadline: 2000, now: () => clock.now - start }).ask(questions.ask())).catch(() => {})
    clock.after((-Math.log(1 - random()) * work) / (load * upstream.capacity), arrive)
  }
  function sample(): void {
    const [least, most] = bounds(upstream.capacity)
    if (settled.ms === Infinity && gauge.concurrency >= least && gauge.concurrency <= most)
      settled = { rounds, ms: clock.now - changedAt }
    permits += gauge.concurrency
    samples++
    clock.after(5, sample)
  }
  arrive()
  sample()

  const phases: Phase[] = []
  for (const capacity of [20, 8, 40]) {
    upstream.capacity = capacity
    rounds = 0
    settled = { rounds: Infinity, ms: Infinity }
    changedAt = clock.now
    await clock.until(changedAt + settledMs)
    ;[came, answers, lost, latency, permits, samples] = [0, 0, 0, 0, 0, 0]
    await clock.until(changedAt + phaseMs)
    const rate = answers / (phaseMs - settledMs)
    const phase = {
      capacity,
      ...settled,
      permits: permits / samples,
      goodput: answers / Math.min(came, ((phaseMs - settledMs) / work) * capacity),
      lost: lost / (answers + lost),
      latency: latency / answers,
      rate,
    }
    phases.push(phase)
    t.comment(
      `capacity ${capacity}: in its bounds after ${phase.ms.toFixed(0)} ms and ${phase.rounds.toFixed(1)} ` +
        `rounds, ${phase.permits.toFixed(1)} permits, goodput ${phase.goodput.toFixed(2)}, lost ` +
        `${(phase.lost * 100).toFixed(1)} %, ${phase.latency.toFixed(0)} ms on the wire`,
    )
  }
  return phases
}

test('an upstream that answers 503 beyond its capacity is given as many calls as it takes, also after it has changed', async t => {
  const phases = await simulate(t, {
    queue: 0,
    work: 25,
    load: 1.5,
    bounds: capacity => [capacity * 0.75, capacity * 1.25],
  })
  for (const { capacity, rounds, permits, goodput, lost, latency, rate } of phases) {
    t.ok(
      Math.abs(permits - capacity) <= capacity * 0.1,
      `capacity ${capacity}: ${permits.toFixed(1)} permits are within a tenth of it`,
    )
    t.ok(
      Math.abs(permits - rate * latency) <= permits * 0.15,
      `and within 15 % of rate × latency, ${(rate * latency).toFixed(1)}`,
    )
    t.ok(goodput >= 0.9, `goodput ${goodput.toFixed(2)}`)
    t.ok(lost <= 0.12, `lost ${lost.toFixed(3)}`)
    // One permit a round, and a tenth for each lot of losses, which come fast.
    t.ok(rounds <= 32, `settled after ${rounds.toFixed(1)} rounds`)
  }
})

test('an upstream with a short queue is given what fills its hands, and no more than its queue takes', async t => {
  const phases = await simulate(t, { queue: 20, work: 25, load: 1.5, bounds: capacity => [capacity, capacity + 21] })
  for (const { capacity, permits, goodput, lost } of phases) {
    t.ok(permits >= capacity && permits <= capacity + 21, `capacity ${capacity}: ${permits.toFixed(1)} permits`)
    t.ok(goodput >= 0.95, `goodput ${goodput.toFixed(2)}`)
    t.ok(lost <= 0.05, `lost ${lost.toFixed(3)}`)
  }
})

test('an upstream that queues without end is not given so much that its answers come too late', async t => {
  // As many as take three quarters of the timeout, by Little's law.
  const scenario: Scenario = {
    queue: Infinity,
    work: 150,
    load: 1.5,
    bounds: capacity => [capacity, (capacity / 150) * 750],
  }
  const phases = await simulate(t, scenario)
  for (const { capacity, permits, goodput, lost, latency } of phases) {
    t.ok(
      permits >= capacity && permits <= (capacity / 150) * 750,
      `capacity ${capacity}: ${permits.toFixed(1)} permits`,
    )
    t.ok(goodput >= 0.9, `capacity ${capacity}: goodput ${goodput.toFixed(2)}`)
    t.ok(lost <= 0.1, `lost ${lost.toFixed(3)}`)
    t.ok(latency <= timeout * 0.75, `${latency.toFixed(0)} ms on the wire`)
  }
  t.comment('64 fixed permits beside it:')
  const [, few] = await simulate(t, { ...scenario, fixed: 64 })
  t.ok((few?.goodput ?? 1) < 0.1, 'which let every call time out where the hands are few')
})

test('at half load the permits do not limit the calls, and follow the load', async t => {
  for (const queue of [0, Infinity]) {
    const phases = await simulate(t, { queue, work: 25, load: 0.5 })
    for (const { capacity, permits, goodput, rate, latency } of phases) {
      t.ok(goodput >= 0.95, `capacity ${capacity}: goodput ${goodput.toFixed(2)}`)
      t.ok(
        permits >= rate * latency,
        `${permits.toFixed(1)} permits are at least rate × latency, ${(rate * latency).toFixed(1)}`,
      )
    }
  }
})

test('two calls in a hundred that fail at any load do not keep the permits few', async t => {
  const phases = await simulate(t, { queue: Infinity, work: 25, load: 0.9, noise: 0.02 })
  for (const { capacity, goodput } of phases)
    t.ok(goodput >= 0.93, `capacity ${capacity}: goodput ${goodput.toFixed(2)}`)
})
