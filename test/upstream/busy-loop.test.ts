import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'

/** An upstream with one permit, and a function that starts a run of some calls to it. */
async function onePermit(t: Test) {
  const raw = await rawUpstream(t, json({}))
  const { ask } = defineUpstream(
    'one-at-a-time',
    { origin: raw.origin, concurrency: 1, retry: false },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  // Node.js measures the loop from its first turn on.
  await turn()
  return (calls: number) => {
    const run = testRun()
    return Array.from({ length: calls }, () => runtime.send(run.ask(ask())))
  }
}

function compute(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until) Math.sqrt(until)
}

for (const [early, calls] of [
  ['one run of two calls', [2]],
  ['two runs of one call', [1, 1]],
] as const)
  test(`20 runs that arrive behind ${early} after a long turn of the event loop are admitted`, async t => {
    const start = await onePermit(t)
    const first = calls.flatMap(start)
    compute(100)
    const others = Array.from({ length: 20 }, () => start(1)).flat()
    t.equal((await Promise.all([...first, ...others])).length, 22)
  })
