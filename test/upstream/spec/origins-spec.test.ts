import { test } from 'tap'
import { defineUpstream, specOf, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { addressOf, checkOverride, originsText } from '../../../src/upstream/override.ts'
import type { OriginOptions } from '../../../src/upstream/spec/origin-options.ts'

const define = (options: UpstreamOptions) => specOf(defineUpstream('users', options, {}))
const list = (...origins: (string | OriginOptions)[]) => define({ origins })
const entry = (origin: string, options: object = {}) => ({
  origin,
  weight: 1,
  addresses: false,
  srv: undefined,
  ...options,
})

test('an upstream has an origin or origins', async t => {
  t.match(define({ origin: 'http://a' }), { origin: 'http://a', origins: undefined })
  t.throws(() => define({ origin: 'http://a', origins: ['http://b'] }), {
    name: 'TypeError',
    message: "upstream 'users': origin and origins exclude each other: remove one of them",
  })
  t.throws(() => define({}), {
    name: 'TypeError',
    message: "upstream 'users': origin is missing: it must be a string such as 'https://catfact.ninja', or set origins",
  })
})

test('an upstream with several URLs has a name of its own, and its origins have defaults', async t => {
  const spec = list('https://a.example/v1/', { origin: 'https://b.example:8443/v1', weight: 3 })
  t.equal(spec.origin, 'https://users.invalid/v1')
  t.same(spec.origins, [entry('https://a.example/v1'), entry('https://b.example:8443/v1', { weight: 3 })])
  t.ok(Object.isFrozen(spec.origins))
})

test('the name of an upstream with several URLs depends on no order, weight or DNS record', async t => {
  const origins = [
    list('http://a', 'http://b'),
    list('http://b', 'http://a', 'http://c'),
    list({ origin: 'http://a', weight: 9 }, { origin: 'http://b', addresses: true }),
  ].map(({ origin }) => origin)
  t.same(new Set(origins), new Set(['http://users.invalid']))
})

test('a list of one URL is an upstream with one origin', async t => {
  t.match(list('http://a:8080/v1'), { origin: 'http://a:8080/v1', origins: undefined })
  t.match(list({ origin: 'http://a', weight: 7 }), { origin: 'http://a', origins: undefined })
})

test('an upstream with the DNS records of one URL keeps that URL', async t => {
  const addresses = list({ origin: 'https://users.example', addresses: true })
  t.equal(addresses.origin, 'https://users.example')
  t.same(addresses.origins, [entry('https://users.example', { addresses: true })])
  const srv = '_http._tcp.users.example'
  const found = list({ origin: 'https://users.example', srv, weight: 2 })
  t.equal(found.origin, 'https://users.example')
  t.same(found.origins, [entry('https://users.example', { srv, weight: 2 })])
})

test('origins of one upstream have one scheme and one base path', async t => {
  t.throws(() => list('https://a', 'http://b'), {
    name: 'TypeError',
    message:
      "upstream 'users': origins[1] has the scheme 'http:' and origins[0] has 'https:': " +
      'use one scheme for all origins of an upstream',
  })
  t.throws(() => list('https://a/v1', 'https://b/v1', 'https://c/v2'), {
    message:
      "upstream 'users': origins[2] has the base path '/v2' and origins[0] has '/v1': " +
      'use one base path for all origins of an upstream',
  })
})

test('an origin that is listed twice is refused', async t => {
  t.throws(() => list('http://a', 'http://b', 'http://A:80/'), {
    name: 'TypeError',
    message: "upstream 'users': origins[2] is the same as origins[0]: remove one of them, or use weight",
  })
  t.equal(list('http://a', { origin: 'http://a', srv: '_http._tcp.a.example' }).origins?.length, 2)
})

test('an entry that cannot be called is refused with its position', async t => {
  const refused: readonly (readonly [entry: unknown, message: string])[] = [
    ['nonsense', "'nonsense' is not an origin: write scheme, host and port, for example https://catfact.ninja"],
    ['http://me:secret@a', 'the origin contains credentials: send them as a header'],
    [{ origin: 7 }, "origin must be a string such as 'https://users.example', got a number"],
    [7, 'its options must be an object with some of origin, weight, addresses, srv'],
    [{ origin: 'http://a', wait: 1 }, "unknown option 'wait': use origin, weight, addresses, srv"],
    [{ origin: 'http://a', weight: 0 }, 'weight must be a whole number from 1 to 1000, got 0'],
    [{ origin: 'http://a', weight: 1001 }, 'weight must be a whole number from 1 to 1000, got 1001'],
    [{ origin: 'http://a', addresses: 1 }, 'addresses must be true or false, got a number'],
    [
      { origin: 'http://a', addresses: true, srv: '_http._tcp.a' },
      'addresses and srv exclude each other: remove one of them',
    ],
    [
      { origin: 'http://127.1', addresses: true },
      "addresses needs the name of a host, and '127.0.0.1' is an address: remove it",
    ],
    [{ origin: 'http://a', srv: 7 }, "srv must be a string such as '_http._tcp.users.example', got a number"],
    [
      { origin: 'http://a', srv: 'users.example' },
      "srv must be the name of SRV records such as '_http._tcp.users.example', got 'users.example'",
    ],
  ]
  for (const [wrong, message] of refused)
    t.throws(() => list('http://first', wrong as string), {
      name: 'TypeError',
      message: `upstream 'users': origins[1]: ${message}`,
    })
})

test('a list without an entry, or with more than 64, is refused', async t => {
  const many = Array.from({ length: 65 }, (_, at) => `http://a${at}`)
  for (const origins of [[], many, 'http://a', undefined, null])
    t.throws(() => define({ origins, ...(origins === undefined && { origin: 7 }) } as never), { name: 'TypeError' })
  t.throws(() => list(...many), {
    message: "upstream 'users': origins must be a list of 1 to 64 origins such as 'https://users.example'",
  })
  t.equal(list(...many.slice(1)).origins?.length, 64)
})

test('a private address in the list is refused with publicOnly', async t => {
  t.throws(() => define({ origins: ['http://users.example', 'http://10.0.0.1'], publicOnly: true }), {
    name: 'TypeError',
    message: "upstream 'users': its origin http://10.0.0.1 is at 10.0.0.1, which is not public: remove publicOnly",
  })
  t.equal(define({ origins: ['http://users.example', 'http://8.8.8.8'], publicOnly: true }).origins?.length, 2)
})

test('DNS records are refused with a proxy, which resolves names', async t => {
  const origin = 'http://users.example'
  for (const records of [{ addresses: true }, { srv: '_http._tcp.users.example' }])
    t.throws(() => define({ origins: [{ origin, ...records }], proxy: true }), {
      name: 'TypeError',
      message: "upstream 'users': addresses and srv have no effect with proxy, which resolves names: remove one",
    })
  t.equal(define({ origins: [origin, 'http://b'], proxy: true }).origins?.length, 2)
})

test('an override replaces one origin by several, and several by one', async t => {
  const one = define({ origin: 'https://users.example' })
  const several = list('https://a', 'https://b')
  const many = addressOf(one, {
    origins: ['http://10.0.0.1:8080/v2', { origin: 'http://10.0.0.2:8080/v2', weight: 2 }],
  })
  t.match(many.url.href, /^http:\/\/users\.[0-9a-f]{8}\.invalid\/v2$/)
  t.same(many.origins, [entry('http://10.0.0.1:8080/v2'), entry('http://10.0.0.2:8080/v2', { weight: 2 })])
  t.match(many, { prefix: '/v2', isTrusted: true, isOff: false })
  const single = addressOf(several, { origin: 'http://127.0.0.1:4000/' })
  t.equal(single.origins, undefined)
  t.equal(single.url.href, 'http://127.0.0.1:4000/')
  t.equal(single.isTrusted, true)
  const declared = addressOf(several, { off: true })
  t.equal(declared.origins, several.origins)
  t.match(declared, { isTrusted: false, isOff: true })
})

test('the name of an override contains the servers of its list, and not their order or weights', async t => {
  const declared = list('http://a', 'http://b')
  const nameOf = (...origins: readonly (string | OriginOptions)[]) => addressOf(declared, { origins }).url.hostname
  const name = nameOf('http://a', 'http://b')
  t.equal(nameOf({ origin: 'http://b', weight: 3 }, 'http://a'), name)
  const srv = '_http._tcp.users.example'
  const names = new Set([
    name,
    addressOf(declared, {}).url.hostname,
    nameOf('http://a', 'http://c'),
    nameOf('http://a', { origin: 'http://b', srv }),
  ])
  t.equal(names.size, 4)
  t.equal(nameOf({ origin: 'http://a', addresses: true }), 'a', 'one URL names the upstream')
})

test('an override with faults is refused', async t => {
  t.throws(() => checkOverride('users', { origin: 'http://a', origins: ['http://b'] }), {
    name: 'TypeError',
    message: "upstream 'users': origin and origins exclude each other: remove one of them",
  })
  t.throws(() => checkOverride('users', { origins: ['http://a', 'https://b'] }), {
    name: 'TypeError',
    message: /^upstream 'users': origins\[1\] has the scheme 'https:'/,
  })
  t.doesNotThrow(() => checkOverride('users', { origins: ['http://a', 'http://b'] }))
})

test('an override with DNS records is refused if the upstream has a proxy', async t => {
  const spec = define({ origin: 'https://users.example', proxy: true })
  t.throws(() => addressOf(spec, { origins: [{ origin: 'http://users.internal', addresses: true }] }), {
    name: 'TypeError',
    message: "upstream 'users': addresses and srv have no effect with its proxy: list the origins by their URLs",
  })
})

test('the origins are shown with their weights and DNS records', async t => {
  const spec = list('http://a/v1', { origin: 'http://b/v1', weight: 2, addresses: true })
  t.equal(originsText(spec, {}), 'http://a/v1, http://b/v1 (weight 2, addresses)')
  t.equal(originsText(spec, { origin: 'http://c/' }), 'http://c')
  const srv = '_http._tcp.d.example'
  t.equal(originsText(spec, { origins: [{ origin: 'http://d', srv }] }), `http://d (srv ${srv})`)
})
