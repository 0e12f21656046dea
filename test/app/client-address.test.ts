import { Writable } from 'node:stream'
import fc from 'fast-check'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { addressOf, clientAddress, trustOf } from '../../src/http/request/client-address.ts'
import { listening } from '../helpers/listening.ts'

const quick = aggregate('quick', { url: '/v1/quick' })
  .required('now', () => 1)
  .reply(z.number(), ({ now }) => now)

/** Asks once for each `x-forwarded-for`, of an app that takes two requests a minute of each client. */
async function arrange(t: Test, options: AppOptions = {}) {
  const ask = await listening(t, buildApp([quick], { rateLimit: 2, trustProxy: ['127.0.0.0/8'], ...options }))
  return async (...senders: readonly string[]) => {
    const statuses = []
    for (const sender of senders)
      statuses.push((await ask('/v1/quick', { headers: { 'x-forwarded-for': sender } })).status)
    return statuses
  }
}

test('a client is one client, whatever port its proxy writes behind its address', async t => {
  const statuses = await arrange(t)
  t.same(await statuses('192.0.2.1:1001', '192.0.2.1:1002', '192.0.2.1:1003', '192.0.2.1'), [200, 200, 429, 429])
  t.same(
    await statuses('[2001:db8::1]:1001', '[2001:db8::1]:1002', '[2001:db8::1]:1003', '2001:db8::1', '[2001:DB8:0::1]'),
    [200, 200, 429, 429, 429],
  )
})

test('the spellings of an address are one address, and one IPv6 network of 64 bits is one client', async t => {
  const statuses = await arrange(t)
  t.same(
    await statuses('192.0.2.7', '::ffff:192.0.2.7', '::FFFF:c000:207', '[::ffff:192.0.2.7]:80'),
    [200, 200, 429, 429],
  )
  t.same(await statuses('fe80::1%eth0', 'fe80::1%eth1', '[fe80::1%25eth2]:9'), [200, 200, 429])
  t.same(
    await statuses('2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:0DB8:0:1::3', '2001:db8:0:2::1'),
    [200, 200, 429, 200],
  )
})

test('a text that is not an address counts as the proxy that wrote it', async t => {
  const statuses = await arrange(t)
  t.same(await statuses('unknown', '_hidden', '300.1.1.1', ''), [200, 200, 429, 429], 'all of them are the peer')
  t.same(
    await statuses('x, 127.0.0.9', 'y, 127.0.0.9', 'z, 127.0.0.9'),
    [200, 200, 429],
    'and here the proxy before it',
  )
  t.same(await statuses('192.0.2.1'), [200])
})

test('a proxy is trusted with a port behind its address too', async t => {
  const statuses = await arrange(t, { trustProxy: ['127.0.0.0/8', '10.0.0.0/8'] })
  t.same(
    await statuses(
      '192.0.2.1:7, 10.0.0.1:8',
      '192.0.2.1:9, 10.0.0.1:10',
      '192.0.2.1:11, [::ffff:10.0.0.2]:12',
      '192.0.2.2:7, 10.0.0.1:8',
    ),
    [200, 200, 429, 200],
  )
})

test('the log has the address without its port, and no text that is not an address', async t => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const { loggedRequest } = await import('../../src/http/log/logger-options.ts')
  const statuses = await arrange(t, { logger: { level: 'info', stream, serializers: { req: loggedRequest } } })
  await statuses('192.0.2.1:4711', 'nonsense')
  const addresses = lines.flatMap(
    line => (JSON.parse(line) as { req?: { remoteAddress: string } }).req?.remoteAddress ?? [],
  )
  t.same(addresses, ['192.0.2.1', '127.0.0.1'])
})

test('a connection without an address is one client', async t => {
  t.equal(clientAddress({}), 'unknown')
  t.equal(clientAddress({ ip: 'x', ips: ['y'] }), 'unknown')
})

test('trusted proxies are addresses, networks or names; anything else is rejected', async t => {
  const isTrusted = trustOf(['192.0.2.1', '2001:db8::/32', 'loopback', 'uniquelocal', '::ffff:198.51.100.0/120'])
  for (const address of [
    '192.0.2.1',
    '192.0.2.1:80',
    '::ffff:192.0.2.1',
    '2001:DB8::7',
    '[2001:db8::7]:1',
    '127.3.4.5',
    '::1',
    '10.1.1.1',
    'fd00::1',
    '198.51.100.9',
  ])
    t.equal(isTrusted(address), true, address)
  for (const address of ['192.0.2.2', '2001:db9::1', '169.254.0.1', 'loopback', '', undefined])
    t.equal(isTrusted(address), false, String(address))
  for (const entry of ['nonsense', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/255.0.0.0', '10.0.0.0/x', '::1/129', '']) {
    t.throws(
      () => buildApp([quick], { trustProxy: [entry] }),
      { name: 'TypeError', message: `trustProxy must list addresses or networks such as 10.0.0.0/8, got '${entry}'` },
      entry,
    )
  }
})

test('a list of proxies that is of another type is refused', async t => {
  for (const [trustProxy, said] of [
    ['10.0.0.0/8', ', got a string'],
    [1, ', got a number'],
    [null, ', got null'],
    [[7], ''],
  ] as const)
    t.throws(() => buildApp([quick], { trustProxy: trustProxy as never }), {
      name: 'TypeError',
      message: `app: trustProxy must be a list of strings such as ['10.0.0.0/8']${said}`,
    })
})

test('every form of an address has the same result', t => {
  const port = fc.constantFrom('', ':1', ':65535', ':', ':_a')
  fc.assert(
    fc.property(
      fc.ipV4(),
      port,
      (address, suffix) => addressOf(address + suffix) === address && addressOf(`::ffff:${address}`) === address,
    ),
  )
  fc.assert(
    fc.property(fc.ipV6(), port, fc.boolean(), (address, suffix, isUpper) => {
      const plain = addressOf(address)
      const spelled = isUpper ? address.toUpperCase() : address.toLowerCase()
      return (
        plain !== undefined &&
        addressOf(plain) === plain &&
        addressOf(spelled) === plain &&
        addressOf(`[${spelled}]${suffix}`) === plain &&
        addressOf(`${spelled}%eth0`) === plain
      )
    }),
  )
  t.end()
})

test('no text is an address that the platform does not accept', t => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.[\]%]{0,30}$/)), text => {
      const address = addressOf(text)
      return address === undefined || addressOf(address) === address
    }),
  )
  t.end()
})
