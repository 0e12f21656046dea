import { fastify } from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { loggedRuntime } from '../../src/http/log/logged-runtime.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { testRun } from '../helpers/call.ts'
import { farStore } from '../helpers/far-store.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

test('a cache store that fails is logged at once, and then once per minute at most', async t => {
  const raw = await rawUpstream(t, json({}))
  const { drop } = defineUpstream(
    'cats',
    { origin: raw.origin },
    { drop: operation({ method: 'DELETE', path: '/cats', output: z.unknown() }) },
  )
  const lines: string[] = []
  const { log } = fastify({ logger: { stream: { write: line => void lines.push(line) } } })
  const far = farStore()
  far.mode = 'reject'
  const runtime = loggedRuntime(log, { cacheStore: far.store })
  t.teardown(() => runtime.close())
  for (const _ of [1, 2, 3]) t.match(await runtime.send(testRun().ask(drop())), { value: {}, status: 200 })
  t.match(
    lines.map(line => JSON.parse(line) as object),
    [
      {
        level: 40,
        msg: 'cache store failed; the call continues without it',
        upstream: 'cats',
        function: 'invalidate',
        err: { message: 'the store is down' },
      },
    ],
  )
  t.equal(lines.length, 1)
})
