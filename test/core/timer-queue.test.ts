import { test } from 'tap'
import { Abort } from '../../src/core/abort.ts'
import { createTimerQueue, type TimerQueue } from '../../src/core/timer-queue.ts'
import { Listener } from '../helpers/listener.ts'
import { turn } from '../helpers/turn.ts'

/** Starts a timeout and says when it rang. */
function ringing(running: TimerQueue): {
  readonly abort: Abort
  readonly due: ReturnType<TimerQueue['start']>
  readonly rang: Promise<{ reason: unknown; afterMs: number }>
} {
  const { promise: rang, resolve } = Promise.withResolvers<{ reason: unknown; afterMs: number }>()
  const abort = new Abort()
  const since = performance.now()
  abort.add(new Listener(reason => resolve({ reason, afterMs: performance.now() - since })))
  return { abort, due: running.start(abort), rang }
}

const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

test('many timeouts ring in the order they began, none before its time, on one timer', async t => {
  const before = timers()
  const running = createTimerQueue(20, () => 'late')
  const order: number[] = []
  const all = Array.from({ length: 100 }, (_, at) =>
    ringing(running).rang.then(ring => {
      order.push(at)
      return ring
    }),
  )
  t.equal(running.size, 100)
  t.equal(timers(), before + 1)
  const rings = await Promise.all(all)
  t.same(
    order,
    order.toSorted((a, b) => a - b),
  )
  t.ok(rings.every(({ reason }) => reason === 'late'))
  t.ok(rings.every(({ afterMs }) => afterMs >= 18))
  t.equal(running.size, 0)
  t.equal(timers(), before)
})

test('a timeout that is stopped does not ring, and the other timeouts do, at whichever place it stood', async t => {
  for (const stopped of [0, 1, 2]) {
    const running = createTimerQueue(10, () => 'late')
    const all = [0, 1, 2].map(() => ringing(running))
    const { due, abort } = all[stopped] as (typeof all)[number]
    running.stop(due)
    running.stop(due)
    t.equal(running.size, 2, 'stopping twice is stopping once')
    await Promise.all(all.filter((_, at) => at !== stopped).map(({ rang }) => rang))
    t.equal(abort.aborted, false)
    t.equal(running.size, 0)
  }
})

test('when the last timeout is stopped no timer stays', t => {
  const before = timers()
  const running = createTimerQueue(10_000, () => 'late')
  const all = [ringing(running), ringing(running)]
  for (const { due } of all) running.stop(due)
  t.equal(timers(), before)
  t.equal(running.size, 0)
  t.end()
})

test('of two timeouts that share a timer, the one that began later rings later', async t => {
  const running = createTimerQueue(30, () => 'late')
  const first = ringing(running)
  // A timeout of 15 ms of the same kind passes the time between.
  await ringing(createTimerQueue(15, () => 'half')).rang
  const second = ringing(running)
  await first.rang
  t.equal(second.abort.aborted, false)
  t.ok((await second.rang).afterMs >= 28)
})

test('a timeout that begins while another rings does not delay the timeouts that wait', async t => {
  const running = createTimerQueue(300, () => 'late')
  const first = ringing(running)
  let third: Abort | undefined
  first.abort.add(
    new Listener(() => {
      third = ringing(running).abort
    }),
  )
  await ringing(createTimerQueue(100, () => 'a third')).rang
  await ringing(running).rang
  t.equal(third?.aborted, false, 'the second rings long before the one that began when the first rang')
})

test('when the loop was held up, what has arrived meanwhile comes before the cut', async t => {
  const running = createTimerQueue(5, () => 'late')
  const [answered, hung, later] = [new Abort(), new Abort(), new Abort()]
  const due = running.start(answered)
  running.start(hung)
  // Stands for an answer that lies in its socket: it is read after timers have rung.
  setImmediate(() => {
    running.stop(due)
    running.start(later)
  })
  const until = performance.now() + 30
  while (performance.now() < until);
  await new Promise<void>(resolve => {
    hung.add(new Listener(() => resolve()))
  })
  t.notOk(answered.aborted)
  t.notOk(later.aborted)
  await new Promise<void>(resolve => {
    later.add(new Listener(() => resolve()))
  })
  t.equal(running.size, 0)
})

test('a timeout that passes while late data is read gets a turn of its own', async t => {
  const running = createTimerQueue(5, () => 'late')
  const [first, second] = [new Abort(), new Abort()]
  // From here, timers come before the next immediates.
  await turn()
  running.start(first)
  const answered = new Promise<void>(resolve => {
    // Stands for an answer to the first, after which a second question is asked and answered.
    setImmediate(() => {
      const due = running.start(second)
      holdUp(30)
      setImmediate(() => {
        running.stop(due)
        resolve()
      })
    })
  })
  holdUp(30)
  await answered
  t.equal(first.aborted, true)
  t.equal(second.aborted, false)
  t.equal(running.size, 0)
})

/** Keeps the loop from turning for so many ms. */
function holdUp(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
