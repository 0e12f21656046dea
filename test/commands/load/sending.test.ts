import { test, type Test } from 'tap'
import type { Connection, Ended } from '../../../src/commands/load/connection.ts'
import { asFastAsAnswered, fixedRate, type Pace } from '../../../src/commands/load/pace.ts'
import { startSending } from '../../../src/commands/load/sending.ts'
import { createTally } from '../../../src/commands/load/tally.ts'
import { virtualClock } from './helpers/virtual-clock.ts'

const well: Ended = { status: 200, reply: 'whole', bytes: 10 }

/** So many connections to a service that takes as long as it is told at each moment. */
function scene(
  pace: Pace,
  {
    connections,
    takesMs,
    cutAt = 100_000,
    countFrom = 0,
  }: {
    readonly connections: number
    readonly takesMs: (now: number) => number | Ended
    readonly cutAt?: number
    readonly countFrom?: number
  },
) {
  const clock = virtualClock()
  const asked: { readonly connection: number; readonly at: number }[] = []
  let most = 0
  let underWay = 0

  function connection(_: unknown, index: number): Connection {
    let end: ((how: Ended) => void) | undefined
    return {
      ask(ended) {
        if (end !== undefined) throw new Error('a connection has two requests')
        asked.push({ connection: index, at: clock.now() })
        most = Math.max(most, ++underWay)
        end = how => {
          if (end === undefined) return
          end = undefined
          underWay--
          ended(how)
        }
        const takes = takesMs(clock.now())
        if (typeof takes === 'number') clock.at(clock.now() + takes, () => end?.(well))
        else clock.at(clock.now(), () => end?.(takes))
      },
      cut() {
        end?.({ failure: 'cut off at the end' })
      },
      close() {},
    }
  }

  const { tally, listener } = createTally(countFrom, cutAt)
  const sending = startSending({
    pace,
    clock,
    listener,
    cutAt,
    connections: Array.from({ length: connections }, connection),
  })
  return {
    clock,
    asked,
    tally,
    sending,
    get most() {
      return most
    },
  }
}

/** Stands still for all from 1000 to 1300 ms. */
const stall = (now: number) => (now >= 1000 && now < 1300 ? 1300 - now + 1 : 1)

test('a stall of 300 ms at 100 a second over one connection is in the latencies from due, and of those from sent only once', async t => {
  const { clock, tally, sending } = scene(fixedRate(100, 0, 2000), { connections: 1, takesMs: stall })
  clock.passTo(50_000)
  await sending.over
  t.equal(tally.answered, 200)
  t.ok(Math.abs(tally.fromDue.atMs(100) - 301) < 1)
  t.ok(
    Math.abs(tally.fromDue.atMs(92) - 160) < 10,
    'whoever came in the middle of it waited half as long, those behind him included',
  )
  t.ok(Math.abs(tally.fromDue.atMs(80) - 1) < 0.1)
  t.ok(Math.abs(tally.fromSent.atMs(100) - 301) < 1)
  t.ok(Math.abs(tally.fromSent.atMs(99) - 1) < 0.1, 'to whoever counts from sent only one met it')
  t.ok(tally.waited >= 29 && tally.waited <= 40, `${tally.waited} found the connection taken`)
  t.equal(tally.lag.atMs(100), 0.001, 'and the sender was never late itself')
})

test('with connections enough all of them meet the stall, and both count the same', async t => {
  const { clock, tally, sending } = scene(fixedRate(100, 0, 2000), { connections: 100, takesMs: stall })
  clock.passTo(50_000)
  await sending.over
  for (const percentile of [50, 90, 92.5, 99, 100])
    t.equal(tally.fromDue.atMs(percentile), tally.fromSent.atMs(percentile))
  t.equal(tally.waited, 0)
})

test('a service that hangs holds as many requests as there are connections, and what waits is a number', async t => {
  const scenery = scene(fixedRate(1000, 0, 10_000), { connections: 8, takesMs: () => Infinity, cutAt: 12_000 })
  const { clock, tally, sending, asked } = scenery
  clock.passTo(9000)
  t.equal(asked.length, 8)
  t.equal(sending.inFlight, 8)
  t.equal(sending.waiting, 9001 - 8)
  t.ok(clock.asked <= 9, 'one wake, and one for each request of this service')
  clock.passTo(20_000)
  await sending.over
  t.same([tally.sent, tally.answered, tally.neverSent], [8, 0, 9992])
  t.same([...tally.failures], [['cut off at the end', 8]])
  t.equal(tally.fromDue.count, 10_000, 'all that were due are in the table')
  t.ok(Math.abs(tally.fromDue.atMs(50) - 7000) < 10, 'with the time they had had by then')
  t.equal(tally.fromSent.count, 8)
  t.equal(sending.waiting, 0)
  t.equal(sending.inFlight, 0)
})

test('what waits when the duration is over is still sent', async t => {
  const { clock, tally, sending } = scene(fixedRate(100, 0, 1000), { connections: 1, takesMs: () => 15 })
  clock.passTo(999)
  t.ok(sending.waiting > 30)
  clock.passTo(50_000)
  await sending.over
  t.same([tally.sent, tally.answered, tally.neverSent], [100, 100, 0])
  t.ok(Math.abs(tally.fromDue.atMs(100) - 510) < 3)
})

test('connections take turns', async t => {
  const { clock, asked } = scene(fixedRate(100, 0, 60), { connections: 3, takesMs: () => 1 })
  clock.passTo(1000)
  t.same(
    asked.map(({ connection }) => connection),
    [0, 1, 2, 0, 1, 2],
  )
})

test('a sender that is late says so, and what waited for a connection is not its lateness', async t => {
  const late = scene(fixedRate(100, 0, 100), { connections: 10, takesMs: () => 1 })
  const { at } = late.clock
  Object.assign(late.clock, { at: (moment: number, wake: () => void) => at(moment + 4, wake) })
  late.clock.passTo(1000)
  t.ok(Math.abs(late.tally.lag.atMs(100) - 4) < 0.1)
  t.equal(late.tally.waited, 0)
})

test('a closed loop has as many in flight as connections, each asks again when it has its answer, and from due is from sent', async t => {
  const scenery = scene(asFastAsAnswered(0, 1000), { connections: 5, takesMs: stall })
  const { clock, tally, sending } = scenery
  clock.passTo(5000)
  await sending.over
  t.equal(scenery.most, 5)
  t.equal(tally.sent, 5000, 'each asks every ms')
  t.equal(tally.answered, 5000)
  t.equal(tally.fromDue.atMs(100), tally.fromSent.atMs(100))
})

test('a closed loop whose connections are refused does not try without end', async t => {
  const refused = scene(asFastAsAnswered(0, 1000), {
    connections: 2,
    takesMs: () => ({ failure: 'connection refused' }),
  })
  refused.clock.passTo(5000)
  await refused.sending.over
  t.same([...refused.tally.failures], [['connection refused', 20]])
  const paced = scene(fixedRate(100, 0, 1000), { connections: 2, takesMs: () => ({ failure: 'connection refused' }) })
  paced.clock.passTo(5000)
  await paced.sending.over
  t.same([...paced.tally.failures], [['connection refused', 100]], 'at a rate each is tried when it is due')
  t.equal(paced.tally.fromDue.count, 0, 'how fast it fails is no latency')
})

test('stopped, it cuts what is in flight and counts what was due until then', async t => {
  await stopped(t, fixedRate(100, 0, 10_000), { sent: 2, neverSent: 3 })
  await stopped(t, asFastAsAnswered(0, 10_000), { sent: 2, neverSent: 0 })
})

async function stopped(t: Test, pace: Pace, expected: { readonly sent: number; readonly neverSent: number }) {
  const { clock, tally, sending, asked } = scene(pace, { connections: 2, takesMs: () => Infinity })
  clock.passTo(45)
  sending.stop()
  await sending.over
  t.match(tally, expected)
  t.same([...tally.failures], [['cut off at the end', 2]])
  clock.passTo(90_000)
  sending.stop()
  t.equal(asked.length, 2, 'nothing more is sent')
  t.match(tally, expected)
}

test('what was due in the warm-up is sent and not counted', async t => {
  const { clock, tally, sending, asked } = scene(fixedRate(100, 0, 1000), {
    connections: 2,
    takesMs: () => 1,
    countFrom: 400,
  })
  clock.passTo(5000)
  await sending.over
  t.equal(asked.length, 100)
  t.same([tally.sent, tally.answered, tally.fromDue.count, tally.lag.count], [60, 60, 60, 60])
})
