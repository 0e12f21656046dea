import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

async function arrange(t: Test) {
  const upstream = await rawUpstream(t, json({ size: 1 }))
  const files = defineUpstream(
    'files',
    { origin: upstream.origin },
    {
      read: operation({
        path: '/files/{path+}',
        params: z.object({ path: z.string() }),
        query: z.object({ version: z.int().optional() }),
        output: z.object({ size: z.int() }),
      }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return { files, upstream, runtime, send: (call: ReturnType<typeof files.read>) => runtime.send(testRun().ask(call)) }
}

test('a value of several segments goes out with its slashes', async t => {
  const { files, upstream, send } = await arrange(t)
  t.equal(files.read.path, '/files/{path+}', 'the template as it is declared')
  t.strictSame((await send(files.read({ path: 'src/a b/\u010d?#.ts', version: 2 }))).value, { size: 1 })
  await send(files.read({ path: 'a%20b/.well-known/...' }))
  t.strictSame(
    upstream.requests.map(({ path }) => path),
    ['/files/src/a%20b/%C4%8D%3F%23.ts?version=2', '/files/a%2520b/.well-known/...'],
  )
})

test('the metrics of a call show the template as it is declared', async t => {
  const { files, runtime, send } = await arrange(t)
  await send(files.read({ path: 'src/a.ts' }))
  const { body } = await runtime.metrics.render()
  t.match(String(body), /^http_client_request_duration_seconds_count\{.*url_template="\/files\/\{path\+\}".*\} 1$/m)
})

test('a value that leaves its place sends nothing', async t => {
  const { files, upstream } = await arrange(t)
  for (const path of ['..', '../etc', 'a/../../b', '%2e%2e/b', '..%2fb', 'a\\..\\b', '..;x/b', '/b', 'a//b', '.\t./b'])
    t.throws(() => files.read({ path }), { code: 'CALL_INPUT_INVALID' }, JSON.stringify(path))
  t.strictSame(upstream.requests, [])
  t.end()
})
