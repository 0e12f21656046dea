import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { z } from 'zod'
import { readAccess } from '../../../src/upstream/auth/access.ts'
import { defineUpstream, env, operation, specOf, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import type { CustomLayer } from '../../../src/upstream/spec/layer-types.ts'
import { succeedRuntime, type SuccessorOptions } from '../../../src/upstream/runtime.ts'
import { generations } from '../../helpers/generations.ts'
import { json } from '../../helpers/raw-upstream.ts'
import { selfSigned } from '../../helpers/self-signed.ts'

const through: CustomLayer = next => call => next(call)
const bearer = { auth: { bearer: env('KEY') } }
const environment = { KEY: 'one' }

const unchanged: readonly [what: string, options: Partial<UpstreamOptions>, SuccessorOptions?][] = [
  ['plain options in new objects', { retryBudget: { ratio: 0.5 }, headers: { 'user-agent': 'cats/1' } }],
  ['the same layer', { layers: { call: [through] } }],
  ['the same variable with the same value', bearer, { environment }],
  ['the same override', {}, { overrides: { cats: { concurrency: 8 } } }],
  ['the same layer of the runtime', {}, { layers: { attempt: [through] } }],
]
for (const [what, options, own = {}] of unchanged) {
  test(`an upstream did not change with ${what}`, async t => {
    const { raw, first, next } = await generations(t, json('well'), options, own)
    await first.ask()
    await next(first, {}, own).ask()
    t.equal(raw.connections, 1)
  })
}

const changes: readonly [what: string, options: Partial<UpstreamOptions>, SuccessorOptions?][] = [
  ['another plain option', { maxQueue: 5 }],
  ['a nested option', { breaker: { minimumCalls: 5 } }],
  ['another layer that does the same', { layers: { call: [next => call => next(call)] } }],
  ['one more layer', { layers: { call: [through, through] } }],
  ['another value of its variable', bearer, { environment: { KEY: 'two' } }],
  ['another override', {}, { overrides: { cats: { concurrency: 9 } } }],
  ['the option off', {}, { overrides: { cats: { off: true } } }],
  ['another scale', {}, { scale: 0.5 }],
]
for (const [what, options, own] of changes) {
  test(`an upstream changed with ${what}`, async t => {
    const before = what === 'another value of its variable' ? bearer : { layers: { call: [through] } }
    const { raw, first, next } = await generations(t, json('well'), before, { environment })
    await first.ask()
    const second = next(first, options, own ?? { environment })
    await second.ask().catch(() => {})
    t.equal(second.runtime.stats()['cats']?.calls, 1, 'a new client')
    await first.runtime.close()
    await raw.holds(what === 'the option off' ? 0 : 1)
  })
}

test('an upstream whose operation has another schema changed', async t => {
  const { raw, first } = await generations(t, json('well'))
  await first.ask()
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false },
    {
      cat: operation({ path: '/cat', output: z.unknown() }),
    },
  )
  const second = succeedRuntime(first.runtime, [specOf(cats)])
  t.teardown(() => second.close())
  t.same(second.stats(), {}, 'no client is taken')
})

test('the old client of a changed upstream ends its calls, and closes with the last runtime that has it', async t => {
  const replies: (() => void)[] = []
  const { raw, first, next } = await generations(t, socket => replies.push(() => socket.write(json('late'))))
  const early = first.ask()
  await raw.asked(1)
  const second = next(first, { maxQueue: 5 })
  const late = second.ask()
  await raw.asked(2)
  t.equal(raw.connections, 2)
  for (const reply of replies) reply()
  t.same(await Promise.all([early, late]), ['late', 'late'])
  await first.runtime.close()
  await raw.holds(1)
})

test('a successor that cannot be created takes nothing', async t => {
  const { raw, first } = await generations(t, json('well'))
  await first.ask()
  const proxied = defineUpstream('cats', { origin: raw.origin, proxy: 'http://127.0.0.1:9' }, {})
  const overrides = { cats: { origins: [{ origin: 'http://cats.example', addresses: true }] } }
  t.throws(() => succeedRuntime(first.runtime, [specOf(proxied)], { overrides }), TypeError)
  await first.ask()
  t.equal(raw.connections, 1)
  await first.runtime.close()
  await raw.deserted()
})

test('the fingerprint of an access changes with the content of its files', t => {
  const file = join(t.testdir(), 'ca.pem')
  const spec = specOf(defineUpstream('cats', { origin: 'https://cats.example', tls: { ca: env('CA') } }, {}))
  const fingerprint = (text: string) => {
    writeFileSync(file, text)
    const access = readAccess(spec, { CA: file })
    t.same(access.faults, [])
    return access.fingerprint
  }
  const { cert } = selfSigned
  t.equal(fingerprint(cert), fingerprint(cert))
  t.not(fingerprint(cert), fingerprint(`${cert}\n`))
  t.end()
})
