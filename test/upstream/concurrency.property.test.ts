import fc from 'fast-check'
import { test } from 'tap'
import type { Socket } from 'node:net'
import { z } from 'zod'
import { Abort } from '../../src/core/abort.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'

type Act =
  { readonly type: 'enter' } | { readonly type: 'abort' | 'answer' | 'refuse' | 'reset'; readonly which: number }

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({ type: 'enter' as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constantFrom('abort' as const, 'answer' as const, 'refuse' as const, 'reset' as const),
        which: fc.nat(20),
      }),
    },
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
)

for (const permits of [1, 3, 'adaptive'] as const)
  test(
    `with ${permits} permits an upstream on the wire never has more to answer than ` +
      'they are, whichever callers give up and whatever it answers',
    async t => {
      await fc.assert(
        fc.asyncProperty(acts, async list => {
          /** Those that have asked and are not answered. */
          const open = new Set<Socket>()
          const known = new WeakSet<Socket>()
          const raw = await rawUpstream(t, socket => {
            open.add(socket)
            if (known.has(socket)) return
            known.add(socket)
            // A call that is given up goes with its connection.
            socket.on('close', () => open.delete(socket))
          })
          const runtime = createRuntime()
          // Sockets to spare, so that it is not they that bound the calls.
          const upstream = defineUpstream(
            'nobody',
            {
              origin: raw.origin,
              concurrency: permits,
              connections: permits === 'adaptive' ? 4 : 20,
              maxQueue: 1000,
              attemptTimeout: 60_000,
              retry: false,
              breaker: false,
            },
            {
              ask: operation({ path: '/', output: z.unknown() }),
            },
          )
          const calls: { readonly abort: Abort; isOver: boolean; readonly asked: Promise<void> }[] = []
          const stats = () => runtime.stats()['nobody'] ?? { concurrency: 1, active: 0, queued: 0 }
          const most = permits === 'adaptive' ? 4 : permits

          function enter(): void {
            const run = testRun()
            const abort = new Abort()
            const call = {
              abort,
              isOver: false,
              asked: runtime.send(run.ask(upstream.ask(), { abort })).then(
                () => {
                  call.isOver = true
                },
                () => {
                  call.isOver = true
                },
              ),
            }
            calls.push(call)
          }

          function act({ type, which }: Exclude<Act, { readonly type: 'enter' }>): void {
            const running = calls.filter(({ isOver }) => !isOver)
            const sockets = Array.from(open)
            if (type === 'abort') return running[which % running.length]?.abort.abort(new Error('gone'))
            const socket = sockets[which % sockets.length]
            if (socket === undefined) return
            open.delete(socket)
            if (type === 'reset') socket.resetAndDestroy()
            else socket.write(json({}, type === 'answer' ? 200 : 503))
          }

          /** Waits until both sides see the same: what was let in is there, and nothing else. */
          async function settled(): Promise<void> {
            for (let turns = 0; open.size !== stats().active; turns++) {
              if (turns > 5000) throw new Error(`${stats().active} hold a permit, and the upstream has ${open.size}`)
              await turn()
            }
          }

          for (const each of list) {
            const before = stats().active
            if (each.type === 'enter') enter()
            else act(each)
            const { active, concurrency: now } = stats()
            if (active > Math.max(now, before) || active > most) throw new Error(`${active} calls in ${now} permits`)
            await settled()
            if (open.size > most) throw new Error(`the upstream has ${open.size} calls to answer, of ${most}`)
            if (stats().queued > 0 && stats().active < stats().concurrency)
              throw new Error('a permit is free while somebody waits')
          }

          await until(() => {
            for (let left = open.size; left > 0; left--) act({ type: 'answer', which: 0 })
            return calls.every(({ isOver }) => isOver)
          })
          await Promise.all(calls.map(({ asked }) => asked))
          // Who gave up while it connected holds its permit until there is a connection, or none.
          for (let turns = 0; stats().active + stats().queued > 0; turns++) {
            if (turns > 5000) throw new Error('a permit stays')
            await turn()
          }
          await runtime.close()
          await raw.deserted()
        }),
        { numRuns: 25 },
      )
      t.pass('held for 25 histories')
    },
  )
