import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'

const server = `
const { createServer } = require('node:http')
const { parentPort } = require('node:worker_threads')
const listening = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('1'))
listening.listen(0, '127.0.0.1', () => parentPort.postMessage(listening.address().port))
`

test('an answer that came while the loop was held up is read before its attempt is cut', async t => {
  const worker = new Worker(server, { eval: true })
  t.teardown(() => worker.terminate())
  const [port] = (await once(worker, 'message')) as [number]
  const prompt = defineUpstream(
    'prompt',
    { origin: `http://127.0.0.1:${port}`, attemptTimeout: 1000, retry: false },
    { ask: operation({ path: '/', output: z.number() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const send = () => runtime.send(testRun().ask(prompt.ask()))
  await send()
  // Its connection can be used again.
  await turn()
  await turn()

  const answer = send()
  // It is on its way when the loop stops for longer than an attempt may take.
  await turn()
  await turn()
  for (const until = performance.now() + 1500; performance.now() < until;);
  t.match(await answer, { value: 1, status: 200 })
})

test('a connection that was there while the loop was held up is taken', async t => {
  const worker = new Worker(server, { eval: true })
  t.teardown(() => worker.terminate())
  const [port] = (await once(worker, 'message')) as [number]
  const prompt = defineUpstream(
    'prompt',
    { origin: `http://127.0.0.1:${port}`, connectTimeout: 500, retry: false, attemptTimeout: 5000 },
    { ask: operation({ path: '/', output: z.number() }) },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const answer = runtime.send(testRun().ask(prompt.ask()))
  await turn()
  for (const until = performance.now() + 1000; performance.now() < until;);
  t.match(await answer, { value: 1, status: 200 })
})
