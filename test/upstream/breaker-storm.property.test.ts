import type { Socket } from 'node:net'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { Abort } from '../../src/core/abort.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'

const params = z.object({ id: z.string() })
const operations = {
  get: operation({ path: '/get/{id}', params, output: z.unknown() }),
  kept: operation({
    path: '/kept/{id}',
    params,
    output: z.unknown(),
    cache: { ttl: 1, staleIfError: 60_000, staleAfter: 2 },
  }),
  shared: operation({ path: '/shared/{id}', params, output: z.unknown(), coalesce: true }),
  put: operation({ method: 'PUT', path: '/put/{id}', params, output: z.unknown() }),
  post: operation({ method: 'POST', path: '/post/{id}', params, output: z.unknown() }),
}

/** Ways in which the upstream treats a request. */
const acts: Readonly<Record<string, (socket: Socket, answer: Buffer) => unknown>> = {
  answers: (socket, answer) => socket.write(answer),
  'is late': async (socket, answer) => {
    for (let turns = 0; turns < 10; turns++) await turn()
    socket.write(answer)
  },
  'answers and ends': (socket, answer) => socket.end(answer),
  'answers and resets': async (socket, answer) => {
    socket.write(answer)
    await turn()
    socket.resetAndDestroy()
  },
  'is busy': socket => socket.write(json('busy', 503)),
  refuses: socket => socket.write(json('refused', 404)),
  ends: socket => socket.end(),
  resets: socket => socket.resetAndDestroy(),
  'does not answer': () => new Promise(() => {}),
}

const caller = fc.record({
  method: fc.constantFrom('get', 'get', 'kept', 'kept', 'shared', 'put', 'post'),
  /** Few, so that calls share flights and kept answers. */
  id: fc.nat(3),
  /** Turns of the loop before it is sent, and before it is given up. */
  sentAfter: fc.constantFrom(0, 0, 0, 1, 3, 8, 20),
  goneAfter: fc.option(fc.nat(12), { nil: undefined }),
})

const setting = fc.record({
  permits: fc.constantFrom(1, 2, 4, 'adaptive' as const),
  spare: fc.nat(1),
  pipelining: fc.constantFrom(undefined, 3),
  hedge: fc.constantFrom(undefined, { delay: 1, maxRatio: 1 }),
  /**
   * Turns of the loop before those calls that have not ended are cut by their deadline; in 3000 nearly all time out.
   */
  patience: fc.constantFrom(60, 3000),
  /** When the runtime is closed: as soon as the breaker opens, or after so many turns of the loop. */
  closesWithBreaker: fc.constantFrom(true, false, false),
  closesAfter: fc.option(fc.nat(40), { nil: undefined, freq: 1 }),
})

const history = fc.array(fc.constantFrom('answers', ...Object.keys(acts)), { minLength: 1, maxLength: 30, size: 'max' })

/** Waits, for 50 000 turns of the loop at most, and returns whether it has come to that. */
async function comesTo(isSo: () => boolean, each?: () => Promise<unknown>): Promise<boolean> {
  for (let turns = 0; turns < 50_000 && !isSo(); turns++) {
    await each?.()
    await turn()
  }
  return isSo()
}

test('with all policies each call ends once, nothing is held, and the breaker closes when the upstream has recovered', async t => {
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown) => {
    unhandled.push(reason)
  }
  process.on('unhandledRejection', onUnhandled)
  t.teardown(() => process.off('unhandledRejection', onUnhandled))

  await fc.assert(
    fc.asyncProperty(
      setting,
      history,
      fc.array(caller, { minLength: 1, maxLength: 30, size: 'max' }),
      async ({ permits, spare, pipelining, hedge, patience, closesWithBreaker, closesAfter }, treatments, callers) => {
        let isWell = false
        const served = new WeakMap<Socket, Promise<unknown>>()
        const raw = await rawUpstream(t, (socket, { path, index }) => {
          const act = isWell ? 'answers' : (treatments[index % treatments.length] as string)
          // One after the other, as they came.
          served.set(
            socket,
            Promise.resolve(served.get(socket)).then(() => socket.writable && acts[act]?.(socket, json(path.slice(1)))),
          )
        })
        const upstream = defineUpstream(
          'storm',
          {
            origin: raw.origin,
            concurrency: permits,
            connections: (permits === 'adaptive' ? 4 : permits) + spare,
            attemptTimeout: 10,
            maxQueue: 8,
            retry: { maxAttempts: 3, initialDelay: 0 },
            ...(hedge !== undefined && { hedge }),
            breaker: { minimumCalls: 4, window: 1000, openDuration: 4, maxOpenDuration: 4 },
            ...(pipelining !== undefined && { pipelining }),
          },
          operations,
        )
        let isOpen = closesAfter === undefined
        const runtime = createRuntime({
          onBreakerChange() {
            if (!closesWithBreaker) return
            isOpen = false
            void runtime.close()
          },
        })
        const aborts = callers.map(() => new Abort())
        const late = new UpstreamError('DEADLINE_EXCEEDED', 'storm')
        let ended = 0
        const calls = callers.map(async ({ method, id, sentAfter, goneAfter }, index) => {
          for (let turns = 0; turns < sentAfter; turns++) await turn()
          const abort = aborts[index] as Abort
          const sent = runtime
            .send(testRun().ask(upstream[method as 'get']({ id: String(id) }), { abort }))
            .then(
              ({ value }) => value === `${method}/${id}`,
              (error: unknown) => error === 'gone' || error instanceof UpstreamError,
            )
            .finally(() => {
              ended++
            })
          if (goneAfter !== undefined) {
            for (let turns = 0; turns < goneAfter; turns++) await turn()
            abort.abort('gone')
          }
          return sent
        })
        if (closesAfter === undefined) {
          for (let turns = 0; turns < patience && ended < callers.length; turns++) await turn()
        } else {
          for (let turns = 0; turns < closesAfter; turns++) await turn()
          await runtime.close()
          for (let turns = 0; turns < 40; turns++) await turn()
        }
        for (const abort of aborts) abort.abort(late)
        const ends = await Promise.all(calls)
        isWell = true
        const gauge = () =>
          runtime.stats()['storm'] ?? {
            active: 0,
            queued: 0,
            breaker: 'closed',
            calls: 0,
            ok: 0,
            failed: 0,
            ignored: 0,
          }
        // A detached refresh may still be on its way.
        const isFree = await comesTo(() => gauge().active === 0 && gauge().queued === 0)
        const failures = []
        if (!ends.every(Boolean)) failures.push('a call ended with what was not its answer')
        if (!isFree) failures.push(`${gauge().active} permits and ${gauge().queued} places are held`)
        if (isOpen) {
          // A breaker that opened waits 4 ms, and closes in five stages.
          let answers = 0
          const probe = () =>
            runtime.send(testRun().ask(upstream.get({ id: 'probe' }))).then(
              () => {
                answers++
              },
              () => {},
            )
          if (!(await comesTo(() => !isOpen || (answers > 0 && gauge().breaker === 'closed'), probe)))
            failures.push(`the breaker is ${gauge().breaker} after ${answers} answers`)
        }
        const { calls: count, ok, failed, ignored } = gauge()
        if (ended !== callers.length || count !== ok + failed + ignored)
          failures.push(`${count} calls, ${ok} ok, ${failed} failed, ${ignored} ignored`)
        await runtime.close()
        await raw.deserted()
        await raw.stop()
        await turn()
        if (failures.length + unhandled.length > 0)
          throw new Error(`${failures.join('; ')}; unhandled: ${unhandled.map(String).join(', ')}`)
      },
    ),
    { numRuns: 100 },
  )
  t.pass('held for 100 histories')
})
