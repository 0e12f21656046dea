import fastify from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { createRuntime, defineUpstream, headwaters, operation } from '../../../src/index.ts'

const origin = 'https://cats.example'
const upstreamWith = (options: object) => defineUpstream('cats', { origin, ...options }, {})
const operationWith = (options: object) =>
  defineUpstream('cats', { origin }, { ask: operation({ path: '/ask', output: z.unknown(), ...options }) })
const overrideWith = (override: object) => createRuntime({ overrides: { cats: override } })

/** Each old option by the function that takes it, with the owner that the error names. */
const cases: readonly {
  readonly owner: string
  readonly define: (options: object) => unknown
  readonly group?: string
  readonly renamed: Readonly<Record<string, string>>
}[] = [
  {
    owner: "upstream 'cats'",
    define: upstreamWith,
    renamed: {
      slots: 'concurrency',
      queue: 'maxQueue',
      timeout: 'attemptTimeout',
      deadline: 'totalTimeout',
      budget: 'retryBudget',
      forward: 'forwardHeaders',
      public: 'publicOnly',
      trusted: 'pipelining',
      use: 'layers',
      maxBytes: 'maxResponseBytes',
      cacheBytes: 'maxCacheBytes',
      maxValues: 'maxJsonValues',
    },
  },
  {
    owner: "upstream 'cats'",
    define: upstreamWith,
    group: 'retry',
    renamed: { attempts: 'maxAttempts', delay: 'initialDelay' },
  },
  { owner: "upstream 'cats'", define: upstreamWith, group: 'hedge', renamed: { share: 'maxRatio' } },
  {
    owner: "upstream 'cats'",
    define: upstreamWith,
    group: 'retryBudget',
    renamed: { share: 'ratio', perSecond: 'minPerSecond' },
  },
  {
    owner: "upstream 'cats'",
    define: upstreamWith,
    group: 'breaker',
    renamed: {
      failures: 'failureRatio',
      minimum: 'minimumCalls',
      open: 'openDuration',
      maxOpen: 'maxOpenDuration',
    },
  },
  {
    owner: 'cats.ask',
    define: operationWith,
    renamed: { absent: 'nullOn', empty: 'allowEmpty', as: 'responseType', withHeaders: 'responseHeaders' },
  },
  {
    owner: "upstream 'cats'",
    define: overrideWith,
    renamed: { slots: 'concurrency', timeout: 'attemptTimeout' },
  },
  {
    owner: 'runtime',
    define: createRuntime,
    renamed: { use: 'layers', part: 'partition', onBreaker: 'onBreakerChange' },
  },
  {
    owner: 'app',
    define: options => buildApp([], options),
    renamed: { use: 'layers', part: 'partition' },
  },
]

for (const { owner, define, group, renamed } of cases) {
  for (const [old, now] of Object.entries(renamed)) {
    const [from, to] = group === undefined ? [old, now] : [`${group}.${old}`, `${group}.${now}`]
    test(`${owner}: the old option ${from} is refused with its new name ${to}`, async t => {
      for (const value of [1, {}, undefined]) {
        const options = { [old]: value }
        t.throws(
          () => define(group === undefined ? options : { [group]: options }),
          new TypeError(`${owner}: the option '${from}' was renamed to '${to}'`),
        )
      }
    })
  }
}

test('the plugin refuses an old option with its new name, and takes the options of Fastify', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  const options = { aggregates: [], prefix: '/api', logLevel: 'silent' }
  await app.register(headwaters as never, options as never)
  await t.rejects(
    async () => app.register(headwaters as never, { ...options, use: [] } as never),
    new TypeError("headwaters: the option 'use' was renamed to 'layers'"),
  )
})
