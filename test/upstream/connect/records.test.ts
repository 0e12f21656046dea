import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { test, type Test } from 'tap'
import { createRecords, type RecordsOptions } from '../../../src/upstream/connect/records.ts'
import { createResolve } from '../../../src/upstream/connect/resolve.ts'
import { dnsServer } from '../../helpers/dns-server.ts'
import { failure } from '../../helpers/failure.ts'

type Interfaces = NonNullable<RecordsOptions['interfaces']>

const name = 'users.example'

/** Starts a DNS server, and records that ask it; `looked` has the names that `lookup` was asked for. */
async function arrange(t: Test, options: Partial<RecordsOptions> = {}, addresses: readonly unknown[] = ['192.0.2.9']) {
  const dns = await dnsServer(t)
  const looked: string[] = []
  const ended: string[] = []
  const resolve = createResolve((hostname, _options, done) => {
    looked.push(hostname)
    done(
      null,
      addresses.map((address): LookupAddress => ({ address: address as string, family: 4 })),
    )
  })
  const records = createRecords({
    servers: [dns.address],
    resolve,
    hasOwnLookup: false,
    ended: (_ms, code) => ended.push(code),
    ...options,
  })
  return { dns, looked, ended, records }
}

/** A machine with these addresses, and those of loopback. */
const machine =
  (...addresses: readonly string[]): Interfaces =>
  () => ({
    lo: [own('127.0.0.1', true), own('::1', true)],
    eth0: addresses.map(address => own(address)),
    none: undefined,
  })

const own = (address: string, internal = false) =>
  ({ address, family: isIP(address) === 6 ? 'IPv6' : 'IPv4', internal }) as NetworkInterfaceInfo

const onlyIpv4 = machine('192.0.2.7', 'fe80::1')
const onlyIpv6 = machine('169.254.3.4', '2001:db8::7')
const both = machine('192.0.2.7', '2001:db8::7')

test('the addresses of a name are its A and AAAA records, valid for the smallest time to live', async t => {
  const { dns, records, ended } = await arrange(t, { interfaces: both })
  dns.set(name, { ttl: 7, A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'] })
  t.same(await records.addresses(name), {
    found: [
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
      { address: '2001:db8::1', family: 6 },
    ],
    ttlMs: 7000,
    failedFamily: undefined,
  })
  t.same(dns.questions.toSorted(), [`A ${name}`, `AAAA ${name}`])
  await records.addresses(name)
  t.equal(dns.questions.length, 4, 'each call asks the server')
  t.same(ended, ['', ''])
})

test('a name may have addresses of one family only', async t => {
  const { dns, records } = await arrange(t, { interfaces: onlyIpv4 })
  dns.set(name, { A: ['192.0.2.1'] })
  t.match(await records.addresses(name), { found: [{ address: '192.0.2.1' }], failedFamily: undefined })
  dns.set(name, { AAAA: ['2001:db8::1'] })
  t.match(await records.addresses(name), { found: [{ address: '2001:db8::1' }], failedFamily: undefined })
})

for (const { title, interfaces, found } of [
  { title: 'only IPv4 and link-local addresses', interfaces: onlyIpv4, found: ['192.0.2.1'] },
  { title: 'only IPv6 and link-local addresses', interfaces: onlyIpv6, found: ['2001:db8::1'] },
  { title: 'loopback addresses only', interfaces: machine(), found: ['192.0.2.1', '2001:db8::1'] },
])
  test(`a machine with ${title} uses the addresses that it can reach`, async t => {
    const { dns, records } = await arrange(t, { interfaces })
    dns.set(name, { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] })
    t.same(
      (await records.addresses(name)).found.map(({ address }) => address),
      found,
    )
  })

test('addresses that the machine cannot reach do not replace an answer that is lost', async t => {
  const { dns, records } = await arrange(t, { interfaces: onlyIpv4 })
  dns.set(name, { AAAA: ['2001:db8::1'], fails: { A: 'SERVFAIL' } })
  t.match(await failure(records.addresses(name)), { code: 'ESERVFAIL' })
  dns.set(name, { A: ['192.0.2.1'], fails: { AAAA: 'SERVFAIL' } })
  t.match(await records.addresses(name), { found: [{ address: '192.0.2.1' }], failedFamily: undefined })
})

test('the answer for one family says that the question for the other one failed', async t => {
  const { dns, records } = await arrange(t, { interfaces: both })
  dns.set(name, { A: ['192.0.2.1'], fails: { AAAA: 'SERVFAIL' } })
  t.match(await records.addresses(name), { found: [{ address: '192.0.2.1' }], ttlMs: 60_000, failedFamily: 6 })
  dns.set(name, { AAAA: ['2001:db8::1'], fails: { A: 'SERVFAIL' } })
  t.match(await records.addresses(name), { found: [{ address: '2001:db8::1' }], failedFamily: 4 })
})

test('nothing waits for the family that the machine cannot reach', async t => {
  const { dns, records } = await arrange(t, { interfaces: onlyIpv4 })
  t.teardown(() => records.cancel())
  dns.set(name, { A: ['192.0.2.1'], fails: { AAAA: 'silence' } })
  const startedAt = performance.now()
  t.same(await records.addresses(name), {
    found: [{ address: '192.0.2.1', family: 4 }],
    ttlMs: 60_000,
    failedFamily: undefined,
  })
  t.ok(performance.now() - startedAt < 2000, 'a question without an answer takes 3 s')
})

test('an urgent question ends soon after the answer for one family', async t => {
  const { dns, records } = await arrange(t, { interfaces: both })
  t.teardown(() => records.cancel())
  dns.set(name, { AAAA: ['2001:db8::1'], fails: { A: 'silence' } })
  const startedAt = performance.now()
  t.match(await records.addresses(name, true), { found: [{ address: '2001:db8::1' }], failedFamily: 4 })
  t.ok(performance.now() - startedAt < 2000, 'a question without an answer takes 3 s')
  dns.set(name, { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] })
  t.match(await records.addresses(name, true), { found: [{ family: 4 }, { family: 6 }], failedFamily: undefined })
})

test('a name without addresses and a server that fails are errors with their codes', async t => {
  const { dns, records, looked, ended } = await arrange(t)
  t.match(await failure(records.addresses(name)), { code: 'ENOTFOUND' })
  dns.set(name, {})
  t.match(await failure(records.addresses(name)), { code: 'ENODATA' })
  dns.set(name, { fails: { AAAA: 'SERVFAIL' } })
  t.match(
    await failure(records.addresses(name)),
    { code: 'ESERVFAIL' },
    'the failure is reported, not the empty answer',
  )
  t.same(looked, [], 'a list of DNS servers is the only source')
  t.same(ended, ['ENOTFOUND', 'ENODATA', 'ESERVFAIL'])
})

test('localhost and names below it are never asked of a DNS server', async t => {
  const { dns, records, looked, ended } = await arrange(t)
  t.same(await records.addresses('localhost'), {
    found: [{ address: '192.0.2.9', family: 4 }],
    ttlMs: 5000,
    failedFamily: undefined,
  })
  await records.addresses('a.localhost')
  t.same(looked, ['localhost', 'a.localhost'])
  t.same(dns.questions, [])
  t.same(ended, [], 'lookup reports its own end')
})

test('without a list of DNS servers, the lookup of the application resolves every name', async t => {
  const { records, looked } = await arrange(t, { servers: undefined, hasOwnLookup: true })
  t.match(await records.addresses(name), { found: [{ address: '192.0.2.9', family: 4 }], ttlMs: 5000 })
  t.same(looked, [name])
})

test('without a list of DNS servers, a name that they do not answer is looked up in the system', async t => {
  const { records, looked, ended } = await arrange(t, { servers: undefined })
  t.match(await records.addresses('intranet'), { found: [{ address: '192.0.2.9' }] })
  t.same(ended, [], 'a name without a dot depends on search domains, which only the system knows')
  // A label of 64 characters fails before a question is sent, so the test does not depend on the DNS of the machine.
  const unsendable = `${'a'.repeat(64)}.example`
  t.match(await records.addresses(unsendable), { found: [{ address: '192.0.2.9' }], ttlMs: 5000 })
  t.same(looked, ['intranet', unsendable])
  t.same(ended, ['EBADNAME'])
})

test('a lookup that fails, or that returns no IP address, is an error', async t => {
  const { records } = await arrange(t, {}, [])
  t.match(await failure(records.addresses('localhost')), { code: 'ENOTFOUND' })
  const { records: wrong } = await arrange(t, {}, ['127.0.0.1', 'users.example'])
  t.match(await failure(wrong.addresses('localhost')), {
    code: 'ERR_INVALID_IP_ADDRESS',
    message: "localhost was resolved to 'users.example', which is not an IP address",
  })
})

test('the targets of SRV records are those of the lowest priority, with a weight of at least 1', async t => {
  const { dns, records, ended } = await arrange(t)
  dns.set('_http._tcp.users.example', {
    ttl: 1,
    SRV: [
      { priority: 2, weight: 9, port: 8083, name: 'c.example' },
      { priority: 1, weight: 3, port: 8081, name: 'a.example' },
      { priority: 1, weight: 0, port: 8082, name: 'b.example' },
    ],
  })
  const { found, ttlMs } = await records.srv('_http._tcp.users.example')
  t.same(
    found.toSorted((a, b) => a.port - b.port),
    [
      { name: 'a.example', port: 8081, weight: 3 },
      { name: 'b.example', port: 8082, weight: 1 },
    ],
  )
  t.equal(ttlMs, 5000, 'Node.js reports no time to live of SRV records')
  t.same(ended, [''])
})

test('the addresses of an SRV target are those of DNS, or of the lookup of the application', async t => {
  const unsendable = `${'a'.repeat(64)}.example`
  const { records, looked } = await arrange(t, { servers: undefined })
  t.match(await failure(records.targetAddresses(unsendable)), { code: 'EBADNAME' })
  t.same(looked, [])
  const { dns, records: asked } = await arrange(t)
  dns.set('one', { A: ['192.0.2.1'] })
  t.match(await asked.targetAddresses('one'), { found: [{ address: '192.0.2.1' }] })
  const { records: custom } = await arrange(t, { servers: undefined, hasOwnLookup: true })
  t.match(await custom.targetAddresses('one'), { found: [{ address: '192.0.2.9' }] })
})

test('the SRV target "." means that the service has no origin', async t => {
  const { dns, records } = await arrange(t)
  dns.set('_http._tcp.users.example', { SRV: [{ port: 0, name: '' }] })
  t.same((await records.srv('_http._tcp.users.example')).found, [])
  t.match(await failure(records.srv('_http._tcp.other.example')), { code: 'ENOTFOUND' })
})

test('pending questions are cancelled', async t => {
  const { dns, records, ended } = await arrange(t)
  dns.set(name, { fails: { A: 'silence', AAAA: 'silence' } })
  const pending = failure(records.addresses(name))
  await dns.asked(`A ${name}`, 1)
  records.cancel()
  t.match(await pending, { code: 'ECANCELLED' })
  t.same(ended, ['ECANCELLED'])
})

test('after the questions were cancelled, nothing is asked', async t => {
  const { records, looked, dns } = await arrange(t, { servers: undefined })
  // The question ends in the turn in which it is cancelled, before an answer of the machine's DNS server can come.
  const pending = failure(records.addresses(name))
  records.cancel()
  t.match(await pending, { code: 'ECANCELLED' })
  const later = [records.addresses('localhost'), records.targetAddresses(name), records.srv('_http._tcp.users.example')]
  t.match(
    await Promise.all(later.map(failure)),
    later.map(() => ({ code: 'ECANCELLED' })),
  )
  t.same([looked, dns.questions], [[], []])
})

test('records that were never asked for can be cancelled', async t => {
  const { records } = await arrange(t)
  records.cancel()
  t.match(await failure(records.addresses(name)), { code: 'ECANCELLED' })
})
