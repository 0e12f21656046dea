import { test } from 'tap'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'

const optionsOfARuntime = {
  overrides: {},
  environment: {},
  layers: {},
  threads: {},
  partition: { index: 0, count: 1 },
  scale: 1,
  onToken() {},
} satisfies AppOptions

test('buildApp refuses each option of a runtime beside a given runtime', async t => {
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  for (const [name, value] of Object.entries(optionsOfARuntime))
    t.throws(() => buildApp([], { runtime, [name]: value }), {
      name: 'TypeError',
      message: `app: the options runtime and ${name} exclude each other: pass ${name} to createRuntime, or remove runtime`,
    })
})

test('buildApp takes a runtime beside options of a runtime that are undefined', async t => {
  const runtime = createRuntime()
  const app = buildApp([], { runtime, partition: undefined, scale: undefined, onToken: undefined })
  t.teardown(() => app.close())
  t.equal((await app.inject('/health/live')).statusCode, 200)
})

test('buildApp refuses an unknown option and names the options that exist', async t => {
  const options = { ratelimit: 600 } as AppOptions
  t.throws(() => buildApp([], options), {
    name: 'TypeError',
    message: /^app: unknown option 'ratelimit': use overrides, .*\brateLimit, .*\bdrainTimeout$/,
  })
  t.throws(() => buildApp([], { drainMs: 100 } as AppOptions), {
    message: "app: the option 'drainMs' was renamed to 'drainTimeout'",
  })
})
