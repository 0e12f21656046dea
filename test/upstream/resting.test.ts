import fc from 'fast-check'
import { Pool } from 'undici'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { selfSigned } from '../helpers/self-signed.ts'
import {
  strayAnswer,
  strayTimeout,
  strayUpstream,
  type Stray,
  type StrayUpstreamOptions,
} from '../helpers/stray-upstream.ts'
import { rest, turn } from '../helpers/turn.ts'

const params = z.object({ id: z.string() })
const operations = {
  get: operation({ path: '/{id}', params, output: z.unknown() }),
  post: operation({ method: 'POST', path: '/{id}', params, output: z.unknown() }),
}

async function arrange(t: Test, upstreamOptions: StrayUpstreamOptions = {}, options: Partial<UpstreamOptions> = {}) {
  const upstream = await strayUpstream(t, upstreamOptions)
  const declared = defineUpstream(
    'stray',
    { origin: upstream.origin, breaker: false, attemptTimeout: 10_000, ...options },
    operations,
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  let asked = 0
  /** Asks, and returns how it went: well, with another's answer, or with the code of a failure. */
  const ask = async (method: 'get' | 'post'): Promise<string> => {
    const id = String(asked++)
    try {
      const { value } = await runtime.send(testRun().ask(declared[method]({ id })))
      return value === `/${id}` ? 'well' : `another's answer: ${JSON.stringify(value)}`
    } catch (error) {
      if (error instanceof UpstreamError) return error.code
      throw error
    }
  }
  /** Opens a connection for a call that is given up before it is written. */
  const open = async () => {
    const run = testRun()
    const call = run.ask(declared.get({ id: 'gone' }))
    const gone = runtime.send(call).catch((reason: unknown) => reason)
    await turn()
    run.abort.abort('gone')
    await gone
    await call.attempt.held
  }
  return { ...upstream, ask, open }
}

/** Keeps the loop from polling. */
function holdUp(ms = 8): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

function tally(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

test('an upstream that closes each connection with its answer loses no unsafe call of 1000, in sequence or concurrent', async t => {
  const { ask } = await arrange(t, { closes: 'with the answer' })
  const outcomes: string[] = []
  for (let asked = 0; asked < 500; asked++) outcomes.push(await ask('post'))
  for (let asked = 0; asked < 500; asked += 4)
    outcomes.push(...(await Promise.all([ask('post'), ask('post'), ask('post'), ask('post')])))
  t.same(tally(outcomes), { well: 1000 })
})

test('an upstream that closes a connection some time after its answer loses no more unsafe calls than with the pool of undici', async t => {
  const count = 200
  for (const ms of [0, 1, 2, 3, 5]) {
    const { origin, ask } = await arrange(t, { closes: ms })
    const pool = new Pool(origin, { connections: 1 })
    t.teardown(() => pool.destroy())
    let ours = 0
    let theirs = 0
    for (let asked = 0; asked < count; asked++) {
      if ((await ask('post')) !== 'well') ours++
      await pool.request({ method: 'POST', path: '/x' }).then(
        ({ body }) => body.dump(),
        () => {
          theirs++
        },
      )
    }
    // Two at most, since after two the upstream is known to close early.
    t.ok(ours <= Math.max(theirs, 2), `closing after ${ms} ms: ${ours} of ours, ${theirs} of undici's, of ${count}`)
  }
})

const strays: Readonly<Record<string, Stray>> = {
  'an answer': { bytes: strayAnswer },
  'a 408': { bytes: strayTimeout },
  'half an answer': { bytes: strayAnswer.slice(0, 30) },
  garbage: { bytes: 'xyz' },
  'the end': 'end',
  'a reset': 'reset',
}

test('bytes between an answer and the next request are never its answer, however long the event loop was blocked', async t => {
  for (const tls of [undefined, selfSigned]) {
    const { ask, stray } = await arrange(t, { ...(tls && { tls }) }, { ...(tls && { tls: { ca: tls.cert } }) })
    const moment = fc.constantFrom(
      'while a step computes',
      'after the call was dispatched',
      'in the turn in which it is written',
      'while idle',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('get', 'post'),
        moment,
        fc.constantFrom(...Object.keys(strays)),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.boolean(),
        async (method, when, what, width, isRested, isHeldUp) => {
          const first = await Promise.all(Array.from({ length: width }, () => ask('get')))
          if (isRested) await rest()
          const bytes = strays[what] as Stray
          if (when === 'while a step computes') {
            stray(bytes)
          } else if (when === 'in the turn in which it is written') {
            setImmediate(() => {
              stray(bytes)
              if (isHeldUp) holdUp()
            })
          } else if (when === 'while idle') {
            stray(bytes)
            await turn()
          }
          const asked = ask(method)
          if (when === 'after the call was dispatched') {
            stray(bytes)
            if (isHeldUp) holdUp()
          }
          const outcomes = [...first, await asked, await ask(method)]
          t.same(
            tally(outcomes),
            { well: width + 2 },
            `${method}, ${what} ${when}, ${width}${isRested ? ', rested' : ''}`,
          )
        },
      ),
      { numRuns: 150 },
    )
  }
})

test('bytes before the first request of a connection are never its answer', async t => {
  for (const greeting of [strayAnswer, strayTimeout, 'x']) {
    const { ask, waitForGreeting } = await arrange(t, { greeting }, { retry: false })
    for (const method of ['get', 'post'] as const) {
      const asked = ask(method)
      // The connection is being opened by then; the system completes it while the loop is held up.
      setImmediate(() => setImmediate(waitForGreeting))
      t.equal(await asked, 'UPSTREAM_UNREACHABLE')
    }
  }
})

test('bytes on an unused connection before its first request are never its answer', async t => {
  for (const tls of [undefined, selfSigned]) {
    for (const method of ['get', 'post'] as const) {
      for (const [name, what] of Object.entries(strays)) {
        const { ask, open, stray } = await arrange(
          t,
          { ...(tls && { tls }) },
          { concurrency: 1, connections: 1, ...(tls && { tls: { ca: tls.cert } }) },
        )
        await open()
        await rest()
        // The request is written in this turn, and nothing is polled in between.
        stray(what)
        t.equal(await ask(method), 'well', `${method}, ${name}`)
      }
    }
  }
})
