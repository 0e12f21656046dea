import { test } from 'tap'
import type { LinkedQueue } from '../../../../src/core/linked-queue.ts'
import { FairQueue } from '../../../../src/upstream/policies/bulkhead/fair-queue.ts'
import { Flow, QueuedRun, type QueuedCall } from '../../../../src/upstream/policies/bulkhead/flow.ts'

class Queued implements QueuedCall {
  queue: LinkedQueue<QueuedCall> | undefined
  previousInQueue: QueuedCall | undefined
  nextInQueue: QueuedCall | undefined
  readonly name: string
  readonly admission: QueuedRun

  constructor(name: string, admission: QueuedRun) {
    this.name = name
    this.admission = admission
  }

  grant(): void {}

  onAbort(): void {}
}

/** A queue, and flows whose shares count only while they have live runs. */
function arrange() {
  const busy = { weight: 0 }
  const clock = { now: 0 }
  const queue = new FairQueue(() => clock.now)
  return {
    clock,
    queue,
    flow: (weight = 2): Flow => {
      const flow = new Flow(weight, busy)
      flow.runStarted()
      return flow
    },
    /** Adds calls of runs: a character per call. */
    push: (run: QueuedRun, names: string): Queued[] => {
      const calls = Array.from(names, name => new Queued(name, run))
      for (const call of calls) queue.push(call)
      return calls
    },
    /** Removes the calls in the order in which they get permits. None of the permits is released. */
    order: (): string => {
      let names = ''
      for (let call = queue.next(); call !== undefined; call = queue.next()) names += (call as Queued).name
      return names
    },
  }
}

const nameOf = (call: QueuedCall | undefined) => (call as Queued | undefined)?.name

test('an empty queue has no call', async t => {
  const { queue } = arrange()
  t.equal(queue.size, 0)
  t.equal(queue.first, undefined)
  t.equal(queue.next(), undefined)
})

test('the runs of a flow take turns, however many calls each of them has', async t => {
  const { queue, flow, push, order } = arrange()
  const one = flow()
  push(new QueuedRun(one), 'abcd')
  push(new QueuedRun(one), 'x')
  push(new QueuedRun(one), '12')
  t.equal(queue.size, 7)
  t.equal(order(), 'ax1b2cd')
  t.equal(queue.size, 0)
})

test('a run whose turn is over waits behind the runs that came meanwhile', async t => {
  const { queue, flow, push, order } = arrange()
  const one = flow()
  push(new QueuedRun(one), 'ab')
  t.equal(nameOf(queue.next()), 'a')
  push(new QueuedRun(one), 'xy')
  t.equal(order(), 'bxy')
})

test('looking at the first call leaves it in the queue, and its turn makes the run enter', async t => {
  const { queue, flow, push } = arrange()
  const run = new QueuedRun(flow())
  const [call] = push(run, '1')
  t.equal(queue.first, call)
  t.notOk(run.hasEntered)
  t.equal(queue.size, 1)
  t.equal(queue.next(), call)
  t.ok(run.hasEntered)
  t.equal(run.flow.active, 1)
  t.equal(queue.size, 0)
})

test('a permit goes to the flow with the fewest permits in use, and the flows then take turns', async t => {
  const { flow, push, order } = arrange()
  const [busy, light] = [flow(), flow()]
  busy.active = 2
  push(new QueuedRun(busy), 'abcd')
  push(new QueuedRun(light), 'xyz')
  t.equal(order(), 'xyazbcd')
})

test('a flow that has just begun to wait has twice its weight for one holding time', async t => {
  const { clock, queue, flow, push } = arrange()
  const [busy, light] = [flow(), flow()]
  const granted = () => {
    let names = ''
    for (let nth = 0; nth < 6; nth++) {
      // One permit of the busy flow is released.
      busy.active--
      names += nameOf(queue.next())
    }
    return names
  }
  busy.active = 9
  push(new QueuedRun(busy), 'a'.repeat(20))
  clock.now = 100
  const calls = push(new QueuedRun(light), 'x'.repeat(20))
  t.equal(granted(), 'xxxxxx', 'two thirds of the permits')
  for (const call of calls) if (call.queue !== undefined) queue.remove(call)
  busy.active = 9
  light.active = 0
  push(new QueuedRun(light), 'x'.repeat(20))
  clock.now = 125
  t.equal(granted(), 'xxxxaa', 'and half of them later')
})

test('permits are divided by weight', async t => {
  const { flow, push, order } = arrange()
  push(new QueuedRun(flow(4)), 'h'.repeat(40))
  push(new QueuedRun(flow(2)), 'n'.repeat(40))
  push(new QueuedRun(flow(1)), 'l'.repeat(40))
  const granted = order().slice(0, 35)
  t.same(
    ['h', 'n', 'l'].map(name => granted.split(name).length - 1),
    [20, 10, 5],
  )
})

test('with one permit the flows are served by weight, and none is left out', async t => {
  const { queue, flow, push } = arrange()
  const flows = { h: flow(4), n: flow(2), l: flow(1) }
  for (const [name, each] of Object.entries(flows)) push(new QueuedRun(each), name.repeat(100))
  let order = ''
  for (let nth = 0; nth < 70; nth++) {
    const call = queue.next() as Queued
    order += call.name
    call.admission.flow.active--
  }
  for (const [name, count] of Object.entries({ h: 40, n: 20, l: 10 }))
    t.ok(Math.abs(order.split(name).length - 1 - count) <= 1, `${name} in ${order}`)
})

test('a flow that begins to wait has no claim to the permits that it did not need before', async t => {
  const { queue, flow, push } = arrange()
  const [busy, late] = [flow(), flow()]
  push(new QueuedRun(busy), 'a'.repeat(100))
  const next = () => {
    const call = queue.next() as Queued
    call.admission.flow.active--
    return call.name
  }
  for (let nth = 0; nth < 50; nth++) next()
  push(new QueuedRun(late), 'x'.repeat(50))
  let order = ''
  for (let nth = 0; nth < 10; nth++) order += next()
  t.match(order, /^(?:ax){5}$|^(?:xa){5}$|^x(?:ax){4}a$/)
})

test('removing says when a run without a permit has no call left, and it then waits behind the others again', async t => {
  const { queue, flow, push, order } = arrange()
  const one = flow()
  const run = new QueuedRun(one)
  const [first, second] = push(run, '12') as [Queued, Queued]
  push(new QueuedRun(one), 'x')
  t.equal(queue.remove(first), false)
  t.equal(queue.remove(second), true)
  t.equal(one.queued, 1)
  queue.push(second)
  t.equal(order(), 'x2')
})

test('removing the last call of a run that has a permit does not make it a new run', async t => {
  const { queue, flow, push } = arrange()
  const run = new QueuedRun(flow())
  const [, second] = push(run, '12') as [Queued, Queued]
  queue.next()
  t.equal(queue.remove(second), false)
  t.equal(queue.size, 0)
})

test('the time and the demand of a queue count from the moment at which calls began to wait', async t => {
  const { clock, queue, flow, push } = arrange()
  const one = flow()
  clock.now = 5
  const [call] = push(new QueuedRun(one), 'a') as [Queued]
  one.burst = one.refused = 9
  clock.now = 7
  push(new QueuedRun(one), 'b')
  t.match(one, { waitingSince: 5, burst: 9, refused: 9 })
  queue.remove(call)
  queue.next()
  push(new QueuedRun(one), 'c')
  t.match(one, { waitingSince: 7, burst: 0, refused: 0 })
})

test('a run of a lower weight may be replaced: the newest one without a permit', async t => {
  const { queue, flow, push } = arrange()
  const [normal, low] = [flow(2), flow(1)]
  const runs = Array.from({ length: 3 }, () => new QueuedRun(low))
  for (const run of runs) push(run, 'l')
  ;(runs[2] as QueuedRun).hasEntered = true
  t.equal(queue.replaceable(normal, 3), runs[1])
  t.equal(queue.replaceable(low, 3), undefined, 'a run of the same flow is not')
  for (const run of runs) run.hasEntered = true
  t.equal(queue.replaceable(normal, 3), undefined, 'nor a run that has a permit')
})

test('of several flows, the lowest weight and then the longest queue is replaced', async t => {
  const { queue, flow, push } = arrange()
  const [high, normal, low, longer] = [flow(4), flow(2), flow(1), flow(1)]
  push(new QueuedRun(normal), 'nnnn')
  push(new QueuedRun(low), 'l')
  const run = new QueuedRun(longer)
  push(run, 'll')
  push(new QueuedRun(flow(1)), 'l')
  t.equal(queue.replaceable(high, 8), run)
})

test('a flow with less than its share of the queue replaces a run of a flow that has more, of any weight', async t => {
  const { queue, flow, push } = arrange()
  const [light, heavy] = [flow(1), flow(4)]
  const run = new QueuedRun(heavy)
  push(new QueuedRun(heavy), 'hhhh')
  push(run, 'h')
  push(new QueuedRun(light), 'l')
  // Of 6 calls, the share of the heavy flow is 4.8, and that of the light flow is 1.2.
  t.equal(queue.replaceable(light, 6), run)
  push(new QueuedRun(light), 'l')
  t.equal(queue.replaceable(light, 7), undefined, 'a flow with its share replaces none')
})
