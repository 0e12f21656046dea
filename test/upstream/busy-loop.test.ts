import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'

test('calls that arrive after a long turn of the event loop wait for a permit, however many they are', async t => {
  const raw = await rawUpstream(t, json({}))
  const { ask } = defineUpstream(
    'one-at-a-time',
    { origin: raw.origin, concurrency: 1, retry: false },
    { ask: operation({ path: '/', output: z.unknown() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const flow = { weight: 1 }
  const send = () => runtime.send(testRun({ flow, deadline: 60_000 }).ask(ask()))

  // Node.js measures the loop from its first turn on.
  await turn()
  const early = [send(), send()]
  const busyUntil = performance.now() + 100
  while (performance.now() < busyUntil) Math.sqrt(busyUntil)
  const late = Array.from({ length: 20 }, send)
  t.equal((await Promise.all([...early, ...late])).length, 22)
})
