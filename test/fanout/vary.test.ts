import { test } from 'tap'
import { z } from 'zod'
import { allowsSharedCache } from '../../src/fanout/shared-caches.ts'
import { Vary } from '../../src/fanout/vary.ts'
import { defineUpstream, operation, specOf } from '../../src/upstream/declare.ts'

const upstream = (name: string, forward: readonly string[]) =>
  specOf(
    defineUpstream(
      name,
      { origin: 'http://cats.test', forwardHeaders: forward },
      { ask: operation({ path: '/', output: z.unknown() }) },
    ),
  )

test('runs that read the same headers share one set', async t => {
  const none = Vary.of(['accept', 'x-tenant'])
  const one = upstream('one', ['x-a', 'x-tenant'])
  t.equal(none.text, 'accept, x-tenant')
  t.equal(none.forwarded(one).text, 'accept, x-tenant, x-a')
  t.equal(none.forwarded(one), none.forwarded(one))
  t.equal(none.forwarded(one).forwarded(one), none.forwarded(one))
  t.equal(none.forwarded(upstream('two', [])), none)
  t.equal(none.read('x-tenant'), none)
  t.equal(none.read('x-b').text, 'accept, x-tenant, x-b')
  t.equal(none.read('x-b'), none.read('x-b'))
})

test('a set knows where its credentials come from, by the first that brought them', async t => {
  const both = Vary.of(['accept'])
    .forwarded(upstream('one', ['cookie', 'x-a']))
    .read('authorization')
    .forwarded(upstream('two', ['authorization', 'cookie']))
  t.same(
    [...both.credentials],
    [
      ['cookie', "the upstream 'one' forwards it"],
      ['authorization', 'a layer or the headers schema reads it'],
    ],
  )
})

test('names without end do not fill the memory, and are still named', async t => {
  const none = Vary.of(['accept'])
  for (let index = 0; index < 1000; index++) none.read(`x-${index}`)
  t.equal(none.read('x-999'), none.read('x-999'))
  t.not(none.read('x-1000'), none.read('x-1000'), 'it is not kept')
  t.equal(none.read('x-1000').text, 'accept, x-1000')
  t.not(none.read('x-1').read('x-2'), none.read('x-1').read('x-2'), 'nor is one below another')
})

test('a cacheControl that lets a shared cache give a reply to other callers is recognised', async t => {
  for (const value of [
    'public',
    'max-age=60',
    's-maxage=1',
    'private="x-user, y", max-age=60',
    'no-cache="set-cookie"',
    'must-revalidate',
    '',
  ])
    t.equal(allowsSharedCache(value), true, value)
  for (const value of [
    'private',
    'max-age=60, Private',
    'no-store',
    'no-cache',
    ' no-cache ,max-age=0',
    'x="a, b",private',
  ])
    t.equal(allowsSharedCache(value), false, value)
})
