import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { isPublicAddress, literalAddress } from '../../src/core/public-address.ts'
import { publicResolve } from '../../src/upstream/connect/resolve.ts'
import type { Resolve } from '../../src/upstream/connect/resolve.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

const publicAddresses = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450::1',
  '2001:200::1',
]
const otherAddresses = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.168.0.1',
  '192.168.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.1.2.3',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd12::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
  '1.1.1',
  '1.1.1.1.',
]

test('addresses of the public internet are distinguished from all other addresses', async t => {
  t.same(
    publicAddresses.filter(address => !isPublicAddress(address)),
    [],
  )
  t.same(
    otherAddresses.filter(address => isPublicAddress(address)),
    [],
  )
})

test('an address is seen in whatever spelling a URL gives it', async t => {
  const spellings = [
    '127.0.0.1',
    '2130706433',
    '017700000001',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '127.0.0.1.',
    '１２７.0.0.1',
    '①②⑦。0。0。1',
    '%31%32%37.0.0.1',
  ]
  for (const spelling of spellings) t.equal(literalAddress(new URL(`http://${spelling}:8080/`)), '127.0.0.1', spelling)
  t.equal(literalAddress(new URL('http://[::1]/')), '::1')
  t.equal(literalAddress(new URL('http://[::ffff:127.0.0.1]/')), '::ffff:7f00:1')
  t.equal(literalAddress(new URL('http://localhost/')), undefined)
})

test('a public upstream cannot be declared at an address that is not', async t => {
  const define = (origin: string) => () => defineUpstream('cats', { origin, publicOnly: true }, {})
  for (const origin of [
    'http://127.0.0.1',
    'https://0x7f.1',
    'http://2130706433:8080',
    'http://127.0.0.1.',
    'http://[::1]',
    'http://[::ffff:10.0.0.1]',
    'http://169.254.169.254',
    'http://１０.0.0.1',
  ]) {
    t.throws(define(origin), /upstream 'cats': its origin is at .*, which is not public: remove publicOnly/, origin)
  }
  t.doesNotThrow(define('https://1.1.1.1'))
  t.doesNotThrow(define('https://cats.example'))
  t.throws(define('cats'), /is not an origin/, 'a text that is not a URL has its own message')
})

/** A resolver that gives its answers in turn. */
function answering(...answers: (readonly string[] | Error)[]): Resolve {
  return (_hostname, _options, done) => {
    const answer = answers.shift() ?? []
    if (answer instanceof Error) done(answer, [])
    else
      done(
        null,
        answer.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
  }
}

const ask = (resolve: Resolve) =>
  new Promise<readonly LookupAddress[]>((given, refused) =>
    resolve('cats.example', {}, (error, addresses) => (error === null ? given(addresses) : refused(error))),
  )

test('every answer is looked at, on every dial, so a name that turns inward is refused', async t => {
  const guarded = publicResolve(answering(['1.1.1.1'], ['127.0.0.1'], ['8.8.8.8']))
  t.same(await ask(guarded), [{ address: '1.1.1.1', family: 4 }])
  t.match(await failure(ask(guarded)), {
    code: 'ADDRESS_REFUSED',
    message: 'cats.example is at 127.0.0.1, which is not public',
  })
  t.same(await ask(guarded), [{ address: '8.8.8.8', family: 4 }])
})

test('one inner address among public ones refuses them all, wherever it stands', async t => {
  for (const mixed of [
    ['10.0.0.1', '1.1.1.1'],
    ['1.1.1.1', '10.0.0.1'],
    ['1.1.1.1', '::1', '8.8.8.8'],
  ]) {
    t.match(await failure(ask(publicResolve(answering(mixed)))), { code: 'ADDRESS_REFUSED' }, mixed.join(', '))
  }
})

test('a name that is not found is not found', async t => {
  const error = new Error('not found')
  t.equal(await failure(ask(publicResolve(answering(error)))), error)
})

const operations = { ask: operation({ path: '/', output: z.unknown() }) }

test('a public upstream whose name leads to this machine is not dialled', async t => {
  let connections = 0
  const server = createServer(() => {
    connections++
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const inner = defineUpstream('inner', { origin: `http://cats.example:${port}`, publicOnly: true }, operations)
  for (const answer of ['127.0.0.1', [{ address: '127.0.0.1', family: 4 }], [{ address: '::1', family: 6 }]]) {
    const runtime = createRuntime({ lookup: (_hostname, _options, done) => done(null, answer, 4) })
    t.match(await failure(runtime.send(testRun().ask(inner.ask()))), {
      code: 'ADDRESS_REFUSED',
      statusCode: 502,
      verdict: 'ignored',
      retryable: false,
      message: 'inner is at an address that is not public',
      cause: { message: /which is not public/ },
    })
    await runtime.close()
  }
  t.equal(connections, 0)
})

test('localhost is not a public name', async t => {
  const raw = await rawUpstream(t, json('well'))
  const { port } = new URL(raw.origin)
  const local = defineUpstream('local', { origin: `http://localhost:${port}`, publicOnly: true }, operations)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.match(await failure(runtime.send(testRun().ask(local.ask()))), { code: 'ADDRESS_REFUSED' })
  t.equal(raw.connections, 0)
})

test('an origin from outside is trusted', async t => {
  const raw = await rawUpstream(t, json('well'))
  const { port } = new URL(raw.origin)
  const cats = defineUpstream('cats', { origin: 'https://cats.example', publicOnly: true }, operations)
  for (const origin of [raw.origin, `http://localhost:${port}`]) {
    const runtime = createRuntime({ overrides: { cats: { origin } } })
    t.match(await runtime.send(testRun().ask(cats.ask())), { value: 'well' }, origin)
    await runtime.close()
  }
})
