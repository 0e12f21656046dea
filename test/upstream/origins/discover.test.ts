import type { NetworkInterfaceInfo } from 'node:os'
import { test, type Test } from 'tap'
import { createRecords } from '../../../src/upstream/connect/records.ts'
import { createResolve } from '../../../src/upstream/connect/resolve.ts'
import { discover, type DiscoverOptions } from '../../../src/upstream/origins/discover.ts'
import type { Endpoint } from '../../../src/upstream/origins/types.ts'
import type { OriginSpec } from '../../../src/upstream/spec/origins-spec.ts'
import { dnsServer } from '../../helpers/dns-server.ts'
import { manualTimers } from '../../helpers/manual-timers.ts'
import { turn } from '../../helpers/turn.ts'
import { until } from '../../helpers/until.ts'

const name = 'users.example'
const service = '_http._tcp.users.example'

function entry(options: Partial<OriginSpec> = {}): OriginSpec {
  return { origin: 'http://users.example', weight: 1, addresses: false, srv: undefined, ...options }
}
const addresses = entry({ addresses: true })

const own = (address: string, family: 'IPv4' | 'IPv6') => ({ address, family, internal: false }) as NetworkInterfaceInfo

/** Starts a DNS server, and gives the function that starts a discovery which asks it. */
async function arrange(t: Test) {
  const dns = await dnsServer(t)
  const timers = manualTimers()
  const records = createRecords({
    servers: [dns.address],
    resolve: createResolve((_hostname, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }])),
    hasOwnLookup: false,
    ended: () => {},
    interfaces: () => ({ eth0: [own('192.0.2.250', 'IPv4'), own('2001:db8::250', 'IPv6')] }),
  })
  /** Each list of endpoints that was passed on, as their keys. */
  const lists: string[][] = []
  const endpoints: Endpoint[] = []
  let failures = 0
  const start = (entries: readonly OriginSpec[], options: Partial<DiscoverOptions> = {}) => {
    const discovery = discover({
      entries,
      records,
      isPublic: false,
      changed(all) {
        lists.push(all.map(({ key }) => key))
        endpoints.splice(0, Infinity, ...all)
      },
      failed: () => failures++,
      timers,
      random: () => 0,
      ...options,
    })
    t.teardown(() => {
      discovery.close()
      records.cancel()
    })
    return discovery
  }
  return {
    dns,
    timers,
    lists,
    endpoints,
    start,
    get failures() {
      return failures
    },
  }
}

const keys = (...labels: readonly string[]) => labels.map(label => `http://users.example ${label}`)

test('URLs of origins are endpoints at once, and nothing is asked', async t => {
  const { dns, timers, endpoints, lists, start } = await arrange(t)
  const { failure } = start([
    entry({ origin: 'http://a.example:8080/base', weight: 3 }),
    entry({ origin: 'https://b.example' }),
    entry({ origin: 'http://[::1]:81' }),
  ])
  t.same(
    endpoints.map(({ key, weight, label, target }) => ({ key, weight, label, target })),
    [
      { key: 'http://a.example:8080', weight: 3, label: 'a.example:8080', target: undefined },
      { key: 'https://b.example', weight: 1, label: 'b.example:443', target: undefined },
      { key: 'http://[::1]:81', weight: 1, label: '[::1]:81', target: undefined },
    ],
  )
  t.equal(endpoints[0]?.url.host, 'a.example:8080')
  t.equal(lists.length, 1)
  t.equal(failure(), undefined)
  t.same([dns.questions, timers.pending], [[], []])
})

test('each address of a name is an endpoint with the host of the name', async t => {
  const { dns, timers, endpoints, start } = await arrange(t)
  dns.set(name, { A: ['192.0.2.2', '192.0.2.1'], ttl: 30 })
  start([entry({ origin: 'https://users.example', addresses: true, weight: 2 })])
  t.same(endpoints, [])
  t.equal(await timers.ring(), 30_000, 'the name is asked again when its records end')
  t.match(endpoints, [
    {
      key: 'https://users.example 192.0.2.1:443',
      label: '192.0.2.1:443',
      target: { hostname: '192.0.2.1', port: 443 },
      weight: 2,
    },
    { label: '192.0.2.2:443', weight: 2 },
  ])
  t.equal(endpoints[0]?.url.hostname, name)
})

test('the origins of the list and of the first answer for each name are initial, and those of later answers are not', async t => {
  const { dns, timers, endpoints, start } = await arrange(t)
  const initial = () => endpoints.filter(({ isInitial }) => isInitial).map(({ label }) => label)
  const late = 'late.example'
  dns.set(name, { A: ['192.0.2.1'] })
  start([entry({ origin: 'http://listed.example' }), addresses, entry({ origin: `http://${late}`, addresses: true })])
  t.same(initial(), ['listed.example:80'])
  await until(() => timers.pending.length === 2)
  t.same(initial(), ['listed.example:80', '192.0.2.1:80'])
  dns.set(name, { A: ['192.0.2.2'] })
  dns.set(late, { A: ['192.0.2.3'] })
  await timers.ring()
  await timers.ring()
  await until(() => timers.pending.length === 2)
  t.same(
    endpoints.map(({ label }) => label),
    ['listed.example:80', '192.0.2.2:80', '192.0.2.3:80'],
  )
  t.same(initial(), ['listed.example:80', '192.0.2.3:80'])
})

test('a name that moves is followed, and an answer that is the same changes nothing', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  dns.set(name, { A: ['192.0.2.1', '192.0.2.2'] })
  start([addresses])
  await timers.ring()
  dns.set(name, { A: ['192.0.2.2', '192.0.2.1'] })
  await timers.ring()
  dns.set(name, { A: ['192.0.2.3', '192.0.2.2'] })
  await timers.ring()
  await dns.asked(`A ${name}`, 4)
  t.same(lists, [keys('192.0.2.1:80', '192.0.2.2:80'), keys('192.0.2.2:80', '192.0.2.3:80')])
})

test('the time between two rounds has bounds, and is shorter by up to a tenth', async t => {
  const { dns, timers, start } = await arrange(t)
  dns.set(name, { A: ['192.0.2.1'], ttl: 0 })
  start([addresses], { random: () => 0.5 })
  t.equal(await timers.ring(), 950)
  dns.set(name, { A: ['192.0.2.1'], ttl: 86_400 })
  await timers.ring()
  t.equal(await timers.ring(), 285_000)
})

test('a failed round keeps the endpoints, and is repeated after 1 s, 2 s and so on, up to 30 s', async t => {
  const arranged = await arrange(t)
  const { dns, timers, lists, start } = arranged
  dns.set(name, { A: ['192.0.2.1'], ttl: 300 })
  const { failure } = start([addresses])
  await timers.ring()
  dns.set(name, { fails: { A: 'SERVFAIL', AAAA: 'SERVFAIL' } })
  const delays: number[] = []
  for (let round = 0; round < 7; round++) delays.push(await timers.ring())
  t.same(delays, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  dns.set(name, undefined)
  t.equal(await timers.ring(), 30_000, 'a name that does not exist keeps them too')
  dns.set(name, { A: ['192.0.2.2'], ttl: 300 })
  await timers.ring()
  t.equal(await timers.ring(), 300_000)
  t.same(lists, [keys('192.0.2.1:80'), keys('192.0.2.2:80')])
  t.equal(failure(), undefined)
  t.equal(arranged.failures, 0)
})

test('while no endpoint is known, the name is asked each second and the failure is known', async t => {
  const arranged = await arrange(t)
  const { dns, timers, lists, start } = arranged
  const { failure } = start([addresses])
  t.equal(failure(), undefined, 'the first question is open')
  t.same([await timers.ring(), await timers.ring(), await timers.ring()], [1000, 1000, 1000])
  t.match(failure(), { code: 'ENOTFOUND' })
  dns.set(name, { A: ['192.0.2.1'] })
  await timers.ring()
  await timers.ring()
  t.equal(failure(), undefined)
  t.same(lists, [keys('192.0.2.1:80')])
  t.ok(arranged.failures >= 3)
})

test('a failure is known after each name was asked, and not beside a known endpoint', async t => {
  const arranged = await arrange(t)
  const { dns, timers, start } = arranged
  const slow = 'slow.example'
  dns.set(slow, { fails: { A: 'silence', AAAA: 'silence' } })
  const { failure, close } = start([addresses, entry({ origin: `http://${slow}`, addresses: true })])
  await timers.ring()
  t.equal(failure(), undefined)
  close()
  start([addresses, entry({ origin: 'http://listed.example' })])
  await timers.ring()
  t.equal(arranged.failures, 0)
})

test('a family whose question fails keeps its addresses', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  dns.set(name, { AAAA: ['2001:db8::1'], ttl: 300, fails: { A: 'SERVFAIL' } })
  start([addresses])
  t.equal(await timers.ring(), 1000, 'it is not known if the name has addresses of this family')
  dns.set(name, { A: ['192.0.2.1'], ttl: 300, fails: { AAAA: 'SERVFAIL' } })
  t.equal(await timers.ring(), 2000)
  dns.set(name, { A: ['192.0.2.1'], ttl: 300 })
  t.equal(await timers.ring(), 300_000)
  dns.set(name, { A: ['192.0.2.1'], ttl: 300, fails: { AAAA: 'SERVFAIL' } })
  t.equal(await timers.ring(), 300_000, 'a family without an address in its last answer is not missed')
  t.same(lists, [keys('[2001:db8::1]:80'), keys('192.0.2.1:80', '[2001:db8::1]:80'), keys('192.0.2.1:80')])
})

test('with publicOnly, one address that is not public refuses the whole answer of a name', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  dns.set(name, { A: ['1.1.1.1', '127.0.0.1'] })
  const { failure } = start([addresses], { isPublic: true })
  await timers.ring()
  t.match(failure(), { code: 'ADDRESS_REFUSED', message: 'users.example is at 127.0.0.1, which is not public' })
  dns.set(name, { A: ['1.1.1.1'] })
  await timers.ring()
  dns.set(name, { A: ['10.0.0.1'] })
  t.equal(await timers.ring(), 1000)
  t.same(lists, [keys('1.1.1.1:80')])
})

test('each address of an SRV target is an endpoint with the port and the weight of the target', async t => {
  const { dns, timers, endpoints, start } = await arrange(t)
  dns.set(service, {
    SRV: [
      { weight: 3, port: 8081, name: 'a.example' },
      { weight: 1, port: 8082, name: 'b.example' },
      { weight: 9, port: 8082, name: 'b.example' },
    ],
  })
  dns.set('a.example', { A: ['192.0.2.1', '192.0.2.2'], ttl: 60 })
  dns.set('b.example', { A: ['192.0.2.3'], ttl: 3 })
  start([entry({ srv: service, weight: 2 })])
  t.equal(await timers.ring(), 3000)
  t.match(
    endpoints.map(({ key, target, weight }) => ({ key, target, weight })),
    [
      { key: keys('192.0.2.1:8081')[0], target: { hostname: '192.0.2.1', port: 8081 }, weight: 6 },
      { key: keys('192.0.2.2:8081')[0], target: { port: 8081 }, weight: 6 },
      { key: keys('192.0.2.3:8082')[0], target: { hostname: '192.0.2.3', port: 8082 }, weight: 20 },
    ],
  )
  t.same(
    dns.questions.filter(question => question.startsWith('A b.')),
    ['A b.example'],
    'equal names are asked once',
  )
})

test('an SRV target whose addresses are not found keeps the last ones, and does not stop the others', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  const targets = (...names: readonly string[]) => ({ SRV: names.map(target => ({ port: 8080, name: target })) })
  dns.set(service, targets('a.example', 'gone.example'))
  dns.set('a.example', { A: ['192.0.2.1'] })
  start([entry({ srv: service })])
  t.equal(await timers.ring(), 1000)
  dns.set('gone.example', { A: ['192.0.2.2'] })
  t.equal(await timers.ring(), 5000, 'Node.js reports no time to live of SRV records')
  dns.set('gone.example', undefined)
  dns.set('a.example', { A: ['192.0.2.3'] })
  t.equal(await timers.ring(), 1000)
  dns.set(service, targets('a.example'))
  t.equal(await timers.ring(), 5000)
  t.same(lists, [
    keys('192.0.2.1:8080'),
    keys('192.0.2.1:8080', '192.0.2.2:8080'),
    keys('192.0.2.2:8080', '192.0.2.3:8080'),
    keys('192.0.2.3:8080'),
  ])
})

test('SRV records that move to targets whose questions fail keep the endpoints until the targets are found', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  const targets = (...names: readonly string[]) => ({ SRV: names.map(target => ({ port: 8080, name: target })) })
  dns.set(service, targets('a.example'))
  dns.set('a.example', { A: ['192.0.2.1'] })
  start([entry({ srv: service })])
  await timers.ring()
  dns.set(service, targets('b.example', 'c.example'))
  dns.set('b.example', { fails: { A: 'SERVFAIL', AAAA: 'SERVFAIL' } })
  dns.set('c.example', { A: ['192.0.2.3'] })
  t.equal(await timers.ring(), 1000)
  dns.set('b.example', { A: ['192.0.2.2'] })
  t.equal(await timers.ring(), 5000)
  dns.set(service, targets('d.example'))
  t.equal(await timers.ring(), 1000, 'a target that does not exist')
  dns.set('d.example', { A: ['192.0.2.4'] })
  t.equal(await timers.ring(), 5000)
  t.same(lists, [
    keys('192.0.2.1:8080'),
    keys('192.0.2.1:8080', '192.0.2.3:8080'),
    keys('192.0.2.2:8080', '192.0.2.3:8080'),
    keys('192.0.2.4:8080'),
  ])
})

test('an SRV target whose question never succeeds does not keep the addresses that the others had meanwhile', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  const targets = (...names: readonly string[]) => ({ SRV: names.map(target => ({ port: 8080, name: target })) })
  dns.set(service, targets('a.example'))
  dns.set('a.example', { A: ['192.0.2.9'] })
  start([entry({ srv: service })])
  await timers.ring()
  dns.set(service, targets('a.example', 'b.example'))
  dns.set('b.example', { fails: { A: 'SERVFAIL', AAAA: 'SERVFAIL' } })
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    dns.set('a.example', { A: [address] })
    await timers.ring()
  }
  t.same(lists, [
    keys('192.0.2.9:8080'),
    keys('192.0.2.1:8080', '192.0.2.9:8080'),
    keys('192.0.2.2:8080', '192.0.2.9:8080'),
    keys('192.0.2.3:8080', '192.0.2.9:8080'),
  ])
})

test('with more than 256 addresses those that are known no longer are left out first', async t => {
  const { dns, timers, endpoints, start } = await arrange(t)
  const many = (block: number) => Array.from({ length: 25 }, (_, at) => `192.0.${block}.${at}`)
  const names = Array.from({ length: 10 }, (_, at) => `t${at}.example`)
  const targets = (...more: readonly string[]) => ({ SRV: [...names, ...more].map(name => ({ port: 80, name })) })
  dns.set(service, targets())
  for (const [at, target] of names.entries()) dns.set(target, { A: many(at) })
  start([entry({ srv: service })])
  await timers.ring()
  dns.set(service, targets('b.example'))
  dns.set('b.example', { fails: { A: 'SERVFAIL', AAAA: 'SERVFAIL' } })
  for (const [at, target] of names.entries()) dns.set(target, { A: many(100 + at) })
  await timers.ring()
  t.equal(endpoints.length, 256)
  t.equal(endpoints.filter(({ label }) => label.startsWith('192.0.10')).length, 250)
})

test('the addresses of at most 256 SRV targets are asked for', async t => {
  const { dns, timers, endpoints, start } = await arrange(t)
  const names = Array.from({ length: 300 }, (_, at) => `t${1000 + at}`)
  dns.set(service, { SRV: names.map(target => ({ port: 1, name: target })) })
  for (const [at, target] of names.entries()) dns.set(target, { A: [`192.0.${2 + (at >> 8)}.${at & 255}`] })
  start([entry({ srv: service })])
  await timers.ring()
  t.equal(endpoints.length, 256)
  t.equal(dns.questions.filter(question => question.startsWith('A ')).length, 256)
})

test('the order of SRV records with equal addresses does not change the weight', async t => {
  const { dns, timers, lists, endpoints, start } = await arrange(t)
  const one = { port: 80, weight: 10, name: 'a.example' }
  const other = { port: 80, weight: 20, name: 'b.example' }
  for (const target of ['a.example', 'b.example']) dns.set(target, { A: ['192.0.2.1'] })
  dns.set(service, { SRV: [one, other] })
  start([entry({ srv: service })])
  await timers.ring()
  dns.set(service, { SRV: [other, one] })
  await timers.ring()
  await timers.ring()
  t.equal(endpoints[0]?.weight, 30)
  t.equal(lists.length, 1)
})

test('SRV records without a target, or that are not found, keep the endpoints', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  dns.set(service, { SRV: [{ port: 0, name: '' }] })
  const { failure } = start([entry({ srv: service })])
  await timers.ring()
  t.match(failure(), { code: 'ENODATA', message: 'the SRV records of _http._tcp.users.example have no target' })
  dns.set(service, { SRV: [{ port: 8080, name: 'a.example' }] })
  dns.set('a.example', { A: ['192.0.2.1'] })
  await timers.ring()
  dns.set(service, undefined)
  t.equal(await timers.ring(), 1000)
  t.equal(await timers.ring(), 2000)
  t.same(lists, [keys('192.0.2.1:8080')])
})

test('a weight that changes is a change', async t => {
  const { dns, timers, endpoints, lists, start } = await arrange(t)
  dns.set('a.example', { A: ['192.0.2.1'] })
  dns.set(service, { SRV: [{ port: 8080, weight: 1, name: 'a.example' }] })
  start([entry({ srv: service })])
  await timers.ring()
  dns.set(service, { SRV: [{ port: 8080, weight: 4, name: 'a.example' }] })
  await timers.ring()
  await timers.ring()
  t.equal(lists.length, 2)
  t.equal(endpoints[0]?.weight, 4)
})

test('an endpoint that two entries find is one endpoint', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  dns.set(name, { A: ['192.0.2.1', '192.0.2.2'] })
  dns.set(service, { SRV: [{ port: 80, name }] })
  start([addresses, entry({ srv: service })])
  await timers.ring()
  await timers.ring()
  t.same(lists, [keys('192.0.2.1:80', '192.0.2.2:80')])
})

test('a discovery that was closed passes nothing on and has no timer', async t => {
  const { dns, timers, lists, start } = await arrange(t)
  dns.set(name, { A: ['192.0.2.1'] })
  const { close } = start([addresses])
  await timers.ring()
  close()
  await dns.asked(`A ${name}`, 2)
  await turn()
  t.same(timers.pending, [])
  const late = start([addresses])
  late.close()
  await dns.asked(`A ${name}`, 3)
  await turn()
  t.same(timers.pending, [])
  t.equal(lists.length, 1)
})
