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
  get: operation({ path: '/{id}', params, output: z.unknown() }),
  head: operation({ method: 'HEAD', path: '/{id}', params, output: z.unknown(), allowEmpty: true }),
  post: operation({ method: 'POST', path: '/{id}', params, output: z.unknown() }),
}

/** Ways in which the upstream treats a request. */
const acts: Readonly<Record<string, (socket: Socket, answer: Buffer) => unknown>> = {
  answers: (socket, answer) => socket.write(answer),
  'answers in parts': async (socket, answer) => {
    socket.write(answer.subarray(0, 20))
    await turn()
    socket.write(answer.subarray(20))
  },
  'answers and ends': (socket, answer) => socket.end(answer),
  'answers and sends more': (socket, answer) => socket.write(Buffer.concat([answer, json('stray')])),
  'breaks off': (socket, answer) => socket.end(answer.subarray(0, -1)),
  ends: socket => socket.end(),
  resets: socket => socket.resetAndDestroy(),
  'resets later': async socket => {
    for (let turns = 0; turns < 5; turns++) await turn()
    socket.resetAndDestroy()
  },
  'sends garbage': socket => socket.write('garbage\r\n\r\n'),
  'does not answer': () => new Promise(() => {}),
}

const caller = fc.record({
  method: fc.constantFrom('get', 'get', 'head', 'post'),
  act: fc.constantFrom('answers', 'answers', 'answers', ...Object.keys(acts)),
  /** Turns of the loop before it is sent, and before it is given up. */
  sentAfter: fc.constantFrom(0, 0, 0, 1, 3),
  goneAfter: fc.option(fc.nat(6), { nil: undefined }),
})

test('whatever the upstream and the callers do, each call ends, with its own answer or none, and holds nothing', async t => {
  const bounds = fc.record({
    permits: fc.integer({ min: 1, max: 8 }),
    spare: fc.nat(2),
    pipelining: fc.constantFrom(undefined, 3, 6),
  })
  await fc.assert(
    fc.asyncProperty(
      bounds,
      fc.array(caller, { minLength: 1, maxLength: 16 }),
      async ({ permits, spare, pipelining }, callers) => {
        // Bytes behind an answer are not told from the answer to the next request of a batch.
        const actOf = (act: string) => (pipelining !== undefined && act === 'answers and sends more' ? 'answers' : act)
        const served = new WeakMap<Socket, Promise<unknown>>()
        const raw = await rawUpstream(t, (socket, { method, path }) => {
          const { act } = callers[Number(path.slice(1))] as (typeof callers)[0] & {}
          const answer = method === 'HEAD' ? Buffer.from('HTTP/1.1 204 No\r\n\r\n') : json(path)
          // One after the other, as they came.
          served.set(
            socket,
            Promise.resolve(served.get(socket)).then(() => socket.writable && acts[actOf(act)]?.(socket, answer)),
          )
        })
        const upstream = defineUpstream(
          'storm',
          {
            origin: raw.origin,
            concurrency: permits,
            connections: permits + spare,
            attemptTimeout: 10_000,
            breaker: false,
            retry: false,
            ...(pipelining !== undefined && { pipelining }),
          },
          operations,
        )
        const runtime = createRuntime()
        const aborts = callers.map(() => new Abort())
        const late = new UpstreamError('DEADLINE_EXCEEDED', 'storm')
        const calls = callers.map(async ({ method, sentAfter, goneAfter }, index) => {
          for (let turns = 0; turns < sentAfter; turns++) await turn()
          const abort = aborts[index] as Abort
          const sent = runtime.send(testRun().ask(upstream[method as 'get']({ id: String(index) }), { abort })).then(
            ({ value }) => value === null || value === `/${index}`,
            (error: unknown) => error === 'gone' || error instanceof UpstreamError,
          )
          if (goneAfter !== undefined) {
            for (let turns = 0; turns < goneAfter; turns++) await turn()
            abort.abort('gone')
          }
          return sent
        })
        // Those that are not answered end by their deadline.
        for (let turns = 0; turns < 40; turns++) await turn()
        for (const abort of aborts) abort.abort(late)
        const ends = await Promise.all(calls)
        const { active, queued } = await settled(runtime)
        await runtime.close()
        await raw.stop()
        const posts = raw.requests.filter(({ method }) => method === 'POST').map(({ path }) => path)
        return ends.every(Boolean) && new Set(posts).size === posts.length && active === 0 && queued === 0
      },
    ),
    { numRuns: 300 },
  )
})

/** The gauge of the upstream, as soon as nothing is held; after 1000 turns in any case. */
async function settled(runtime: ReturnType<typeof createRuntime>) {
  let gauge = { active: 0, queued: 0 }
  for (let turns = 0; turns < 1000; turns++) {
    gauge = runtime.stats()['storm'] as typeof gauge
    if (gauge.active === 0) break
    await turn()
  }
  return gauge
}
