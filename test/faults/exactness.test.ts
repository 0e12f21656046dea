import { test } from 'tap'
import { z } from 'zod'
import type { CallEvent } from '../../src/upstream/call/events.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { elapsed } from '../helpers/until.ts'
import { isExact } from '../helpers/timing.ts'

const calls = 200
/** What an attempt may end later than a timer that was armed in the same moment, in ms. */
const bound = isExact ? 5 : 250

for (const ms of [50, 100, 200]) {
  test(`99 of 100 attempts with a timeout of ${ms} ms end at most ${bound} ms after a timer armed in the same moment`, async t => {
    const upstream = await rawUpstream(t, () => {})
    const mute = defineUpstream(
      'mute',
      { origin: upstream.origin, concurrency: calls, attemptTimeout: ms, retry: false, breaker: false },
      { ask: operation({ path: '/', output: z.unknown() }) },
    )
    const runtime = createRuntime()
    t.teardown(() => runtime.close())

    const lateMs: number[] = []
    const early: number[] = []
    await Promise.all(
      Array.from({ length: calls }, async (_, index) => {
        // A few at a time, over the length of a timeout and more.
        await elapsed(index * 2)
        const run = testRun()
        let rang = NaN
        let began = NaN
        const timer = Promise.withResolvers<void>()
        const written = Promise.withResolvers<void>()
        const emit = ({ type }: CallEvent) => {
          if (type === 'attempt started') {
            began = performance.now()
            setTimeout(() => {
              rang = performance.now()
              timer.resolve()
            }, ms)
          } else if (type === 'attempt ended') {
            const ended = performance.now()
            if (ended - began < ms - 1) early.push(ended - began)
            // The timer may ring after it.
            written.resolve(
              timer.promise.then(() => {
                lateMs.push(ended - rang)
              }),
            )
          }
        }
        t.match(await failure(runtime.send(Object.assign(run, { emit }).ask(mute.ask()))), { code: 'UPSTREAM_TIMEOUT' })
        await written.promise
      }),
    )

    lateMs.sort((a, b) => a - b)
    const p99 = lateMs[Math.floor(0.99 * calls)] as number
    t.comment(
      `${ms} ms: median ${lateMs[calls / 2]?.toFixed(2)} ms later, p99 ${p99.toFixed(2)} ms, worst ${lateMs.at(-1)?.toFixed(2)} ms`,
    )
    t.equal(lateMs.length, calls)
    t.ok(p99 <= bound, `p99 ${p99.toFixed(2)} ms`)
    t.same(early, [], 'and none too early')
  })
}
