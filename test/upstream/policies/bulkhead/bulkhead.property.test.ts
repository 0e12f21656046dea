import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { test } from 'tap'
import { Abort } from '../../../../src/core/abort.ts'
import type { AdaptiveConcurrency } from '../../../../src/upstream/policies/bulkhead/adaptive-concurrency.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { testRun, type TestRun } from '../../../helpers/call.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { questions } from '../../../helpers/questions.ts'
import { until } from '../../../helpers/until.ts'

type Act =
  | { readonly type: 'enter'; readonly run: number; readonly mayWait: boolean }
  /** `permits`: how many there are when it has ended, where their number moves. */
  | { readonly type: 'finish' | 'fail' | 'abort'; readonly which: number; readonly permits: number }

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('enter' as const),
        run: fc.nat(4),
        mayWait: fc.nat(4).map(one => one > 0),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom('finish' as const, 'fail' as const, 'abort' as const),
        which: fc.nat(20),
        permits: fc.integer({ min: 1, max: 4 }),
      }),
    },
  ),
  { maxLength: 60, size: 'max' },
)

interface Waiter {
  readonly index: number
  readonly run: number
}

/** The rules of admission within one flow in their plainest form: lists, searched from the front. */
class Rules {
  active: number[] = []
  /** The waiting calls of each run, in the order of the turns. */
  ring: Waiter[][] = []
  readonly admitted = new Set<number>()
  permits: number
  readonly queue: number

  constructor(permits: number, queue: number) {
    this.permits = permits
    this.queue = queue
  }

  get waiting(): number {
    return this.ring.flat().length
  }

  /** Whether the call may stay. */
  enter(waiter: Waiter, mayWait: boolean): boolean {
    const group = this.ring.find(([first]) => first?.run === waiter.run)
    if (this.active.length < this.permits) this.admit(waiter)
    else if (!mayWait) return false
    else if (group !== undefined) group.push(waiter)
    else if (this.admitted.has(waiter.run) || this.waiting < this.queue) this.ring.push([waiter])
    else return false
    return true
  }

  leave(index: number): void {
    const held = this.active.includes(index)
    this.active = this.active.filter(each => each !== index)
    this.ring = this.ring.map(group => group.filter(waiter => waiter.index !== index)).filter(group => group.length > 0)
    while (held && this.active.length < this.permits && this.waiting > 0) {
      const [first, ...others] = this.ring.shift() as Waiter[]
      this.admit(first as Waiter)
      if (others.length > 0) this.ring.push(others)
    }
  }

  admit({ index, run }: Waiter): void {
    this.admitted.add(run)
    this.active.push(index)
  }
}

const endings = { abort: 'gone', finish: 'ok', fail: 'broken' }

/** A limit that changes to `next` when a call ends. */
class MovingLimit implements AdaptiveConcurrency {
  limit: number
  next: number
  readonly noted = 0

  constructor(permits: number) {
    this.limit = this.next = permits
  }

  ended(): void {
    this.limit = this.next
  }
}

for (const kind of ['fixed', 'moving'] as const)
  test(
    `with ${kind} permits, under any order of coming, ending, failing and giving ` +
      'up: no call too many, none lost, none overtaken',
    async t => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.nat(4), acts, async (start, queue, list) => {
          const moving = kind === 'moving' ? new MovingLimit(start) : undefined
          const { layer, gauge } = bulkhead({
            upstream: 'nobody',
            concurrency: moving ?? start,
            maxQueue: queue,
            now: () => 0,
          })
          const bottom = heldService()
          const service = layer(bottom.service)
          const runs: TestRun[] = Array.from({ length: 5 }, () => testRun())
          const calls: { readonly abort: Abort; ended: string | undefined; readonly asked: Promise<void> }[] = []
          const rules = new Rules(start, queue)
          const active = () => bottom.held.map(({ call }) => call.index)

          async function enter(run: number, mayWait: boolean): Promise<void> {
            const index = calls.length
            const abort = new Abort()
            const asked = service(
              (runs[run] as TestRun).ask(questions.ask(), { abort, index }).nextAttempt(abort, mayWait),
            )
            const call = {
              abort,
              ended: undefined as string | undefined,
              asked: asked.then(
                () => {
                  call.ended = 'ok'
                },
                error => {
                  call.ended = error.code ?? error
                },
              ),
            }
            calls.push(call)
            const expected = rules.enter({ index, run }, mayWait) ? undefined : 'BULKHEAD_FULL'
            await setImmediate()
            if (call.ended !== expected) throw new Error(`call ${index} came and is ${call.ended}, not ${expected}`)
          }

          async function end(type: 'finish' | 'fail' | 'abort', which: number, permits: number): Promise<void> {
            const able =
              type === 'abort' ? calls.flatMap((call, index) => (call.ended === undefined ? [index] : [])) : active()
            const index = able[which % able.length]
            if (index === undefined) return
            if (moving !== undefined) {
              moving.next = permits
              if (rules.active.includes(index)) rules.permits = permits
            }
            rules.leave(index)
            const entry = bottom.held.find(({ call }) => call.index === index)
            if (type === 'abort') calls[index]?.abort.abort('gone')
            else if (type === 'finish') entry?.answer('done')
            else entry?.fail('broken')
            await setImmediate()
            if (calls[index]?.ended !== endings[type])
              throw new Error(`call ${index} is ${calls[index]?.ended}, not ${endings[type]}`)
          }

          for (const act of list) {
            const before = gauge.active
            if (act.type === 'enter') await enter(act.run, act.mayWait)
            else await end(act.type, act.which, act.permits)
            // Fewer permits abort no call, and admit no call.
            if (gauge.active > Math.max(gauge.concurrency, before))
              throw new Error(`${gauge.active} calls in ${gauge.concurrency} permits`)
            if (gauge.concurrency !== rules.permits)
              throw new Error(`the gauge says ${gauge.concurrency} permits, and there are ${rules.permits}`)
            if (gauge.active < gauge.concurrency && gauge.queued > 0)
              throw new Error('a permit is free while somebody waits')
            if (active().join() !== rules.active.join())
              throw new Error(`active are ${active().join()}, and by the rules ${rules.active.join()}`)
            if (gauge.active !== active().length || gauge.queued !== rules.waiting)
              throw new Error(`the gauge says ${gauge.active} and ${gauge.queued}`)
          }

          await until(() => {
            bottom.held[0]?.answer('done')
            return bottom.held.length === 0 && gauge.queued === 0
          })
          await Promise.all(calls.map(({ asked }) => asked))
          if (calls.some(({ abort }) => abort.size > 0)) throw new Error('a listener stays')
          if (gauge.active + gauge.queued > 0) throw new Error('a permit stays')
        }),
        { numRuns: 100 },
      )
      t.pass('held for 100 histories')
    },
  )
