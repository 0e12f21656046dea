import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { endToEnd } from '../../src/core/end-to-end.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

test('headers without a Connection, or with one that names none, are as they came', async t => {
  for (const headers of [
    { 'x-a': '1' },
    { connection: 'keep-alive', 'keep-alive': 'x' },
    { connection: 'close', 'x-a': '1' },
  ])
    t.equal(endToEnd(headers), headers)
})

test('headers that Connection names are not end-to-end', async t => {
  t.same(endToEnd({ connection: 'X-Secret, close,x-other', 'x-secret': '1', 'x-other': '2', 'x-tenant': '3' }), {
    connection: 'X-Secret, close,x-other',
    'x-tenant': '3',
  })
  t.same(endToEnd({ connection: ['x-a', 'x-b'], 'x-a': '1', 'x-b': '2', 'x-c': '3' }), {
    connection: ['x-a', 'x-b'],
    'x-c': '3',
  })
  t.same(endToEnd({ connection: 'connection, ,', 'x-a': '1' }), { 'x-a': '1' })
})

const operations = { ask: operation({ path: '/ask', output: z.unknown() }) }

test('a header that Connection names reaches neither an upstream nor a step, also when it is in forwardHeaders', async t => {
  const raw = await rawUpstream(t, json('well'))
  const cats = defineUpstream('cats', { origin: raw.origin, forwardHeaders: ['x-secret', 'x-tenant'] }, operations)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const seen: unknown[] = []
  const one = aggregate('one', {
    url: '/one',
    headers: z.object({ 'x-secret': z.string().optional(), 'x-tenant': z.string() }),
  })
    .required('it', ({ headers }) => {
      seen.push(headers)
      return cats.ask()
    })
    .reply(z.unknown(), ({ it }) => it)
  await fanOut(one, { headers: { connection: 'keep-alive, X-Secret', 'x-secret': 's', 'x-tenant': 't' } }, { runtime })
  t.same(seen, [{ 'x-tenant': 't' }])
  const [sent] = raw.requests
  t.same(
    sent?.headers.filter(([name]) => name.startsWith('x-')),
    [['x-tenant', 't']],
  )
  t.match(
    await failure(fanOut(one, { headers: { connection: 'x-tenant', 'x-tenant': 't' } }, { runtime })),
    { code: 'INPUT_INVALID' },
    'one that must be there is missing then',
  )
})

const names = ['x-a', 'x-b', 'authorization', 'cookie', 'x-tenant']

test('no header that is not allowed leaves, whatever Connection names', async t => {
  const raw = await rawUpstream(t, json('well'))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(names),
      fc.subarray([...names, 'keep-alive', 'close']),
      fc.dictionary(fc.constantFrom(...names), fc.stringMatching(/^[!-~]{1,9}$/)),
      async (forward, named, headers) => {
        const cats = defineUpstream('cats', { origin: raw.origin, forwardHeaders: forward }, operations)
        const one = aggregate('one', { url: '/one' })
          .required('it', () => cats.ask())
          .reply(z.unknown(), ({ it }) => it)
        await fanOut(
          one,
          { headers: { ...headers, ...(named.length > 0 && { connection: named.join(', ') }) } },
          { runtime },
        )
        const left = raw.requests
          .at(-1)
          ?.headers.filter(([name]) => names.includes(name))
          .map(([name]) => name)
          .toSorted()
        const allowed = forward.filter(name => headers[name] !== undefined && !named.includes(name)).toSorted()
        if (JSON.stringify(left) !== JSON.stringify(allowed))
          throw new Error(`${left?.join()} left, and ${allowed.join()} may`)
      },
    ),
    { numRuns: 40 },
  )
  t.pass('held for 40 callers')
})
