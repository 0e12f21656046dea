import { test, type Test } from 'tap'
import type { Connection } from '../../../src/commands/load/connection.ts'
import type { RequestOutcome } from '../../../src/commands/load/outcome.ts'
import { closedLoop, constantArrivalRate, type Schedule } from '../../../src/commands/load/schedule.ts'
import { startLoadGenerator } from '../../../src/commands/load/generator.ts'
import { createMetrics } from '../../../src/commands/load/metrics.ts'
import { virtualClock } from './helpers/virtual-clock.ts'

const well: RequestOutcome = { status: 200, reply: 'whole', bytes: 10 }

/** A number of connections to a service whose time per request is set at each moment. */
function scene(
  schedule: Schedule,
  {
    connections,
    takesMs,
    abortAt = 100_000,
    countFrom = 0,
  }: {
    readonly connections: number
    readonly takesMs: (now: number) => number | RequestOutcome
    readonly abortAt?: number
    readonly countFrom?: number
  },
) {
  const clock = virtualClock()
  const asked: { readonly connection: number; readonly at: number }[] = []
  let most = 0
  let inFlight = 0

  function connection(_: unknown, index: number): Connection {
    let end: ((outcome: RequestOutcome) => void) | undefined
    return {
      send(onEnd) {
        if (end !== undefined) throw new Error('a connection has two requests')
        asked.push({ connection: index, at: clock.now() })
        most = Math.max(most, ++inFlight)
        end = outcome => {
          if (end === undefined) return
          end = undefined
          inFlight--
          onEnd(outcome)
        }
        const takes = takesMs(clock.now())
        if (typeof takes === 'number') clock.wakeAt(clock.now() + takes, () => end?.(well))
        else clock.wakeAt(clock.now(), () => end?.(takes))
      },
      abort() {
        end?.({ error: 'cut off at the end' })
      },
      close() {},
    }
  }

  const { metrics, observer } = createMetrics(countFrom, abortAt)
  const generator = startLoadGenerator({
    schedule,
    clock,
    observer,
    abortAt,
    connections: Array.from({ length: connections }, connection),
  })
  return {
    clock,
    asked,
    metrics,
    generator,
    get most() {
      return most
    },
  }
}

/** Stands still for all from 1000 to 1300 ms. */
const stall = (now: number) => (now >= 1000 && now < 1300 ? 1300 - now + 1 : 1)

test('a stall of 300 ms at 100 a second over one connection is in the latencies from due, and of those from sent only once', async t => {
  const { clock, metrics, generator } = scene(constantArrivalRate(100, 0, 2000), { connections: 1, takesMs: stall })
  clock.passTo(50_000)
  await generator.done
  t.equal(metrics.answered, 200)
  t.ok(Math.abs(metrics.latencyFromDue.percentileMs(100) - 301) < 1)
  t.ok(
    Math.abs(metrics.latencyFromDue.percentileMs(92) - 160) < 10,
    'a request in the middle of it waited half as long, with those behind it',
  )
  t.ok(Math.abs(metrics.latencyFromDue.percentileMs(80) - 1) < 0.1)
  t.ok(Math.abs(metrics.latencyFromSent.percentileMs(100) - 301) < 1)
  t.ok(Math.abs(metrics.latencyFromSent.percentileMs(99) - 1) < 0.1, 'counted from sent, one request met it')
  t.ok(metrics.waited >= 29 && metrics.waited <= 40, `${metrics.waited} found the connection taken`)
  t.equal(metrics.senderLag.percentileMs(100), 0.001, 'and the sender was never late itself')
})

test('with connections enough all of them meet the stall, and both count the same', async t => {
  const { clock, metrics, generator } = scene(constantArrivalRate(100, 0, 2000), { connections: 100, takesMs: stall })
  clock.passTo(50_000)
  await generator.done
  for (const percentile of [50, 90, 92.5, 99, 100])
    t.equal(metrics.latencyFromDue.percentileMs(percentile), metrics.latencyFromSent.percentileMs(percentile))
  t.equal(metrics.waited, 0)
})

test('a service that hangs holds as many requests as there are connections, and what waits is a number', async t => {
  const scenery = scene(constantArrivalRate(1000, 0, 10_000), {
    connections: 8,
    takesMs: () => Infinity,
    abortAt: 12_000,
  })
  const { clock, metrics, generator, asked } = scenery
  clock.passTo(9000)
  t.equal(asked.length, 8)
  t.equal(generator.inFlight, 8)
  t.equal(generator.waiting, 9001 - 8)
  t.ok(clock.pending <= 9, 'one timer, and one for each request of this service')
  clock.passTo(20_000)
  await generator.done
  t.same([metrics.sent, metrics.answered, metrics.neverSent], [8, 0, 9992])
  t.same([...metrics.errors], [['cut off at the end', 8]])
  t.equal(metrics.latencyFromDue.count, 10_000, 'all that were due are in the table')
  t.ok(Math.abs(metrics.latencyFromDue.percentileMs(50) - 7000) < 10, 'with the time they had had by then')
  t.equal(metrics.latencyFromSent.count, 8)
  t.equal(generator.waiting, 0)
  t.equal(generator.inFlight, 0)
})

test('requests that wait at the end of the duration are still sent', async t => {
  const { clock, metrics, generator } = scene(constantArrivalRate(100, 0, 1000), { connections: 1, takesMs: () => 15 })
  clock.passTo(999)
  t.ok(generator.waiting > 30)
  clock.passTo(50_000)
  await generator.done
  t.same([metrics.sent, metrics.answered, metrics.neverSent], [100, 100, 0])
  t.ok(Math.abs(metrics.latencyFromDue.percentileMs(100) - 510) < 3)
})

test('connections take turns', async t => {
  const { clock, asked } = scene(constantArrivalRate(100, 0, 60), { connections: 3, takesMs: () => 1 })
  clock.passTo(1000)
  t.same(
    asked.map(({ connection }) => connection),
    [0, 1, 2, 0, 1, 2],
  )
})

test('a sender that is late says so, and what waited for a connection is not its lateness', async t => {
  const late = scene(constantArrivalRate(100, 0, 100), { connections: 10, takesMs: () => 1 })
  const { wakeAt } = late.clock
  Object.assign(late.clock, { wakeAt: (moment: number, callback: () => void) => wakeAt(moment + 4, callback) })
  late.clock.passTo(1000)
  t.ok(Math.abs(late.metrics.senderLag.percentileMs(100) - 4) < 0.1)
  t.equal(late.metrics.waited, 0)
})

test('a closed loop has as many in flight as connections, each asks again when it has its answer, and from due is from sent', async t => {
  const scenery = scene(closedLoop(0, 1000), { connections: 5, takesMs: stall })
  const { clock, metrics, generator } = scenery
  clock.passTo(5000)
  await generator.done
  t.equal(scenery.most, 5)
  t.equal(metrics.sent, 5000, 'each asks every ms')
  t.equal(metrics.answered, 5000)
  t.equal(metrics.latencyFromDue.percentileMs(100), metrics.latencyFromSent.percentileMs(100))
})

test('a closed loop whose connections are refused does not try without end', async t => {
  const refused = scene(closedLoop(0, 1000), {
    connections: 2,
    takesMs: () => ({ error: 'connection refused' }),
  })
  refused.clock.passTo(5000)
  await refused.generator.done
  t.same([...refused.metrics.errors], [['connection refused', 20]])
  const paced = scene(constantArrivalRate(100, 0, 1000), {
    connections: 2,
    takesMs: () => ({ error: 'connection refused' }),
  })
  paced.clock.passTo(5000)
  await paced.generator.done
  t.same([...paced.metrics.errors], [['connection refused', 100]], 'at a rate each is tried when it is due')
  t.equal(paced.metrics.latencyFromDue.count, 0, 'how fast it fails is no latency')
})

test('stopped, it cuts what is in flight and counts what was due until then', async t => {
  await stopped(t, constantArrivalRate(100, 0, 10_000), { sent: 2, neverSent: 3 })
  await stopped(t, closedLoop(0, 10_000), { sent: 2, neverSent: 0 })
})

async function stopped(t: Test, schedule: Schedule, expected: { readonly sent: number; readonly neverSent: number }) {
  const { clock, metrics, generator, asked } = scene(schedule, { connections: 2, takesMs: () => Infinity })
  clock.passTo(45)
  generator.stop()
  await generator.done
  t.match(metrics, expected)
  t.same([...metrics.errors], [['cut off at the end', 2]])
  clock.passTo(90_000)
  generator.stop()
  t.equal(asked.length, 2, 'nothing more is sent')
  t.match(metrics, expected)
}

test('requests that were due in the warm-up are sent and not counted', async t => {
  const { clock, metrics, generator, asked } = scene(constantArrivalRate(100, 0, 1000), {
    connections: 2,
    takesMs: () => 1,
    countFrom: 400,
  })
  clock.passTo(5000)
  await generator.done
  t.equal(asked.length, 100)
  t.same([metrics.sent, metrics.answered, metrics.latencyFromDue.count, metrics.senderLag.count], [60, 60, 60, 60])
})
