import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { keyFinder } from '../../src/http/guard/api-keys.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

const keys = ['first-key-0123456789', 'second-key-0123456789']
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/** An app whose one aggregate hands credentials on to its upstream, and tells what it saw of them. */
async function arrange(t: Test, options: AppOptions) {
  const raw = await rawUpstream(t, json('well'))
  const upstream = defineUpstream(
    'raw',
    { origin: raw.origin, forwardHeaders: ['authorization', 'x-user-authorization'] },
    { ask: operation({ path: '/ask', output: z.string() }) },
  )
  const described = aggregate('told', { url: '/v1/told', headers: z.object({ authorization: z.string().optional() }) })
    .required('seen', ({ headers }) => headers.authorization ?? 'nothing')
    .required('asked', () => upstream.ask())
    .reply(z.object({ seen: z.string() }), ({ seen }) => ({ seen }))
  const logged: string[] = []
  const app = buildApp([described], {
    ...options,
    logger: {
      level: 'trace',
      stream: {
        write: (line: string) => {
          logged.push(line)
        },
      },
    },
  })
  return { raw, logged, ask: await listening(t, app) }
}

test('a key finder finds each of its keys and no other', async t => {
  const find = keyFinder(keys)
  for (const [index, key] of keys.entries()) {
    for (const shown of [`Bearer ${key}`, `bearer ${key}`, `BEARER   ${key} `]) t.equal(find(shown), index, shown)
  }
  for (const shown of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${keys[0]}`,
    keys[0],
    `Bearer ${keys[0]}x`,
    `Bearer ${keys[0]?.slice(0, -1)}`,
    `Bearer ${keys[0]} ${keys[1]}`,
    `Bearer ${keys.join(',')}`,
    `Bearer ${keys[0]?.toUpperCase()}`,
  ])
    t.equal(find(shown), undefined, String(shown))
})

test('aggregates require an API key; other routes do not', async t => {
  const { ask, raw } = await arrange(t, { keys })
  const without = await ask<ProblemBody>('/v1/told')
  isProblem(t, without, 401, 'UNAUTHENTICATED')
  t.equal(without.headers.get('www-authenticate'), 'Bearer')
  const wrong = await ask<ProblemBody>('/v1/told', { headers: bearer('third-key-0123456789') })
  isProblem(t, wrong, 401, 'UNAUTHENTICATED')
  t.equal(wrong.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  t.equal(raw.requests.length, 0, 'no upstream was asked')
  for (const key of keys) {
    const told = await ask('/v1/told', { headers: bearer(key) })
    t.equal(told.status, 200)
    t.match(told.headers.get('vary'), /\bauthorization$/, 'a cache between does not give it to others')
  }
  for (const path of ['/docs', '/openapi.json', '/openapi.yaml', '/health/live', '/health/ready'])
    t.equal((await ask(path)).status, 200, path)
})

test('a key reaches no step, no upstream and no log line', async t => {
  const { ask, raw, logged } = await arrange(t, { keys })
  const { body } = await ask('/v1/told', {
    headers: { ...bearer(keys[0] as string), 'x-user-authorization': 'Bearer of-a-user' },
  })
  t.match(body, { data: { seen: 'nothing' } })
  const sent = raw.requests[0]?.headers.filter(([name]) => name.endsWith('authorization'))
  t.same(sent, [['x-user-authorization', 'Bearer of-a-user']])
  await ask('/v1/told', { headers: bearer('third-key-0123456789') })
  t.ok(logged.length > 2)
  t.notMatch(logged.join(''), /key-0123456789/)
})

test("without keys the caller's authorization header can be forwarded to upstreams", async t => {
  const { ask, raw } = await arrange(t, {})
  t.match(await ask('/v1/told', { headers: bearer('of-a-user') }), {
    status: 200,
    body: { data: { seen: 'Bearer of-a-user' } },
  })
  t.same(
    raw.requests[0]?.headers.filter(([name]) => name === 'authorization'),
    [['authorization', 'Bearer of-a-user']],
  )
})

test('the document says which operations require a key', async t => {
  const { ask } = await arrange(t, { keys, rateLimit: 100 })
  const { body } = await ask<{
    readonly paths: Record<string, { readonly get: { readonly security?: object; readonly responses: object } }>
  }>('/openapi.json')
  t.match(body, {
    security: [{ bearer: [] }],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  })
  t.match(body.paths['/v1/told']?.get, {
    security: undefined,
    responses: {
      401: { $ref: '#/components/responses/NotAuthenticated' },
      429: { $ref: '#/components/responses/TooManyRequests' },
    },
  })
  t.same(body.paths['/health/live']?.get.security, [])

  const open = await arrange(t, {})
  const { body: other } = await open.ask<typeof body>('/openapi.json')
  t.match(other, { security: [], components: { securitySchemes: undefined } })
  t.notOk(['401', '429'].some(status => status in (other.paths['/v1/told']?.get.responses ?? {})))
})
