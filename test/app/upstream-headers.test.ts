import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

const ours = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'server-timing',
  'x-request-id',
  'retry-after',
  'content-security-policy',
  'referrer-policy',
  'x-content-type-options',
])
const marked = (text: string) => `of-upstream-${text}`
const names = [
  'set-cookie',
  'x-powered-by',
  'server',
  'location',
  'access-control-allow-origin',
  'cache-control',
  'etag',
  'x-request-id',
  'authorization',
  'www-authenticate',
  'link',
  'via',
  'server-timing',
]

test("no header of an upstream's response reaches the caller", async t => {
  let headers: Readonly<Record<string, string>> = {}
  let status = 200
  const raw = await rawUpstream(t, socket => socket.write(json({}, status, headers)))
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, breaker: false },
    { ask: operation({ path: '/', output: z.unknown(), responseHeaders: z.record(z.string(), z.unknown()) }) },
  )
  const one = aggregate('one', { url: '/one' })
    .required('it', () => cats.ask())
    .reply(z.unknown(), ({ it }) => it.body)
  const { get } = await serveApp(t, { aggregates: [one] })

  const value = fc.stringMatching(/^[a-z]{1,8}$/).map(marked)
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom(...names), value),
      fc.constantFrom(200, 204, 301, 401, 404, 429, 500, 503),
      async (sent, answered) => {
        headers = sent
        status = answered
        const reply = await get('/one')
        const strangers = [...reply.headers].filter(([name, text]) => !ours.has(name) || text.includes('of-upstream'))
        if (strangers.length > 0) throw new Error(`${JSON.stringify(strangers)} came through`)
        if (reply.text.includes('of-upstream')) throw new Error('a header came through in the body')
      },
    ),
    { numRuns: 60 },
  )
  t.pass('held for 60 answers')
})
