import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type LookupFunction } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { misbehaving, ways, type Way } from '../../embedding/functions/ways.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { asking } from '../helpers/asking.ts'
import { deaf } from '../helpers/deaf.ts'
import { slack } from '../helpers/slack.ts'
import { stage, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { good } from '../helpers/wire.ts'
import { elapsed, until } from '../../helpers/until.ts'

/** How long an answer of a resolver stands, in ms. */
const kept = 1000

/** A resolver that gives fixed answers, and counts. */
function resolver(answer: (hostname: string, ask: number) => readonly string[] | Error | Promise<readonly string[]>) {
  const asked: string[] = []
  const lookup = ((
    hostname: string,
    _options: unknown,
    done: (error: Error | null, addresses: LookupAddress[]) => void,
  ) => {
    asked.push(hostname)
    const given = answer(hostname, asked.length - 1)
    const say = (addresses: readonly string[]) =>
      done(
        null,
        addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    if (given instanceof Error) setImmediate(() => done(given, []))
    else if (given instanceof Promise) void given.then(say)
    else setImmediate(() => say(given))
  }) as unknown as LookupFunction
  return { lookup, asked }
}

const notFound = (code: string) => Object.assign(new Error(`getaddrinfo ${code} cats.example`), { code })

/** A name that is not found, and one that cannot be asked for now. */
export async function unknown(t: Test): Promise<void> {
  for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL']) {
    const upstream = await rawUpstream(t, well)
    let isFound = false
    const { lookup, asked } = resolver(() => (isFound ? ['127.0.0.1'] : notFound(code)))
    const { required } = asking('named', {
      origin: `http://cats.example:${upstream.port}`,
      concurrency: 8,
      breaker: false,
    })
    const { get, runtime } = await stage(t, [required], { lookup })
    const before = performance.now()
    const replies = await Promise.all(Array.from({ length: 8 }, () => get<Reply>('/named?id=a')))
    for (const { status, body } of replies)
      t.match(
        { status, body },
        { status: 502, body: { code: 'UPSTREAM_UNREACHABLE', sources: { part: { state: 'failed', attempts: 2 } } } },
      )
    t.ok(performance.now() - before < 60 + slack)
    t.equal(asked.length, 1, `${code}: one question for eight calls and their retries`)
    t.match(runtime.stats(), { named: { failed: 8, active: 0, queued: 0 } })
    isFound = true
    await elapsed(kept + 50)
    t.match(
      await get('/named?id=b'),
      { status: 200, body: { data: { word: 'b' } } },
      'a second later it is asked for again',
    )
    t.equal(asked.length, 2)
  }
}

/** A resolver that throws, rejects or gives nonsense, beside an upstream that is well. */
export async function brokenResolver(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, well)
  const uncaught: unknown[] = []
  const hear = (reason: unknown) => {
    uncaught.push(reason)
  }
  process.on('unhandledRejection', hear)
  t.teardown(() => process.off('unhandledRejection', hear))
  for (const way of Object.keys(ways) as Way[]) {
    const named = asking('named', {
      origin: `http://cats.example:${upstream.port}`,
      connectTimeout: 20,
      retry: false,
      breaker: false,
    })
    const near = asking('near', { origin: upstream.origin })
    const { get, runtime } = await stage(t, [named.required, near.required], { lookup: misbehaving(way) })
    t.match(await get('/named?id=a'), { status: 502, body: { code: 'UPSTREAM_UNREACHABLE' } }, way)
    t.match(await get('/near?id=b'), { status: 200, body: { data: { word: 'b' } } }, `${way}: the other is asked`)
    t.match(runtime.stats(), { named: { active: 0, queued: 0 } })
  }
  t.same(uncaught, [])
}

/** A name whose resolver takes its time, beside one that is known. */
export async function slowName(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, well)
  const late = Promise.withResolvers<readonly string[]>()
  const { lookup, asked } = resolver(hostname => (hostname === 'slow.example' ? late.promise : ['127.0.0.1']))
  const slow = asking('slow', {
    origin: `http://slow.example:${upstream.port}`,
    connectTimeout: 200,
    concurrency: 16,
    retry: false,
    breaker: false,
  })
  const quick = asking('quick', { origin: `http://quick.example:${upstream.port}` })
  const { get, runtime } = await stage(t, [slow.required, quick.required], { lookup })
  const before = performance.now()
  const waiting = Array.from({ length: 16 }, () => get<Reply>('/slow?id=a'))
  await until(() => runtime.stats()['slow']?.active === 16)
  t.match(await get('/quick?id=b'), { status: 200, body: { data: { word: 'b' } } }, 'others do not wait for it')
  for (const { status, body } of await Promise.all(waiting))
    t.match({ status, body }, { status: 502, body: { code: 'UPSTREAM_UNREACHABLE' } })
  const elapsed = performance.now() - before
  t.ok(
    elapsed >= 198 && elapsed < 230 + slack,
    `given up after ${elapsed.toFixed(0)} ms, which is what a connection may take`,
  )
  t.equal(
    asked.filter(name => name === 'slow.example').length,
    1,
    'sixteen calls hold one thread of the four that look up names',
  )
  late.resolve(['127.0.0.1'])
  t.match(await get('/slow?id=c'), { status: 200, body: { data: { word: 'c' } } })
  t.match(runtime.stats(), { slow: { active: 0, queued: 0 } })
}

/** A name with one address without a host. */
export async function oneDead(t: Test): Promise<void> {
  for (const addresses of [
    ['127.0.0.2', '127.0.0.1'],
    ['::1', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.2'],
  ]) {
    const upstream = await rawUpstream(t, well)
    const { lookup } = resolver(() => addresses)
    const { required } = asking('twofold', { origin: `http://cats.example:${upstream.port}`, retry: false })
    const { get } = await stage(t, [required], { lookup })
    t.match(
      await get('/twofold?id=a'),
      { status: 200, body: { data: { word: 'a' }, sources: { part: { attempts: 1 } } } },
      addresses.join(),
    )
  }
}

/** A name with two addresses, of which the first is slow and the second refuses. */
export async function slowAndDead(t: Test): Promise<void> {
  const slow = await deaf(t)
  const { lookup } = resolver(() => {
    // The first packet to it is dropped by then. The kernel sends another one a second later.
    setImmediate(() =>
      setImmediate(() => {
        void slow.recover()
      }),
    )
    return ['127.0.0.1', '127.0.0.2']
  })
  const { required } = asking('twofold', {
    origin: `http://cats.example:${slow.port}`,
    connectTimeout: 4000,
    retry: false,
  })
  const { get, runtime } = await stage(t, [required], { lookup })
  const before = performance.now()
  t.match(await get('/twofold?id=a'), {
    status: 200,
    body: { data: { word: 'a' }, sources: { part: { attempts: 1 } } },
  })
  const elapsed = performance.now() - before
  t.ok(elapsed > 500, `it took ${elapsed.toFixed(0)} ms: the first attempt went on when the second had failed`)
  t.match(runtime.stats(), { twofold: { active: 0, failed: 0 } })
}

/** A name with two addresses, of which the first never answers. */
export async function oneHangs(t: Test): Promise<void> {
  const hangs = await deaf(t)
  const server = createServer(socket => {
    socket.on('error', () => {}).on('data', () => socket.write(good({ path: '/word/a' })))
    t.teardown(() => socket.destroy())
  })
  await once(server.listen(hangs.port, '127.0.0.2'), 'listening')
  t.teardown(() => server.close())
  for (const connectTimeout of [4000, 240]) {
    const { lookup } = resolver(() => ['127.0.0.1', '127.0.0.2'])
    const { required } = asking('twofold', {
      origin: `http://cats.example:${hangs.port}`,
      connectTimeout,
      retry: false,
    })
    const { get } = await stage(t, [required], { lookup })
    const before = performance.now()
    t.match(await get('/twofold?id=a'), { status: 200, body: { data: { word: 'a' } } })
    const elapsed = performance.now() - before
    const delay = Math.min(250, connectTimeout / 2)
    t.ok(
      elapsed > delay - 2 && elapsed < delay + 50 + slack,
      `the second address is tried after ${elapsed.toFixed(0)} ms`,
    )
    t.notOk(process.getActiveResourcesInfo().includes('TCPConnectWrap'), 'and the first is not waited for any more')
  }
}

/** A name that moves to another address. */
export async function moved(t: Test): Promise<void> {
  // Its connections are kept for one more answer at most.
  const blue = await rawUpstream(t, (socket, request) =>
    socket.end(good({ path: '/word/blue' }, [`x-path: ${request.path}`, 'connection: close'])),
  )
  const green = createServer(socket => {
    socket.on('error', () => {}).on('data', () => socket.write(good({ path: '/word/green' })))
    t.teardown(() => socket.destroy())
  })
  await once(green.listen(blue.port, '127.0.0.2'), 'listening')
  t.teardown(() => green.close())
  let address = '127.0.0.1'
  const { lookup } = resolver(() => [address])
  const { required } = asking('moving', { origin: `http://cats.example:${blue.port}` })
  const { get } = await stage(t, [required], { lookup })
  t.match(await get('/moving?id=a'), { body: { data: { word: 'blue' } } })
  address = '127.0.0.2'
  await elapsed(kept + 50)
  t.match(
    await get('/moving?id=a'),
    { body: { data: { word: 'green' } } },
    'a connection that is opened later is opened there',
  )
}

/** Upstreams that must be public, at addresses that are not. */
export async function inward(t: Test): Promise<void> {
  const target = await rawUpstream(t, well)
  for (const spelling of [
    '127.0.0.1',
    '[::1]',
    '0.0.0.0',
    '169.254.169.254',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '[fc00::1]',
    '[fe80::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '2130706433',
    '017700000001',
    '0x7f.1',
    '127.0.0.1.',
    '①②⑦.0.0.1',
  ]) {
    t.throws(
      () => defineUpstream('outer', { origin: `http://${spelling}:${target.port}`, publicOnly: true }, {}),
      /which is not public/,
      spelling,
    )
  }
  t.throws(() => defineUpstream('outer', { origin: `http://user:pass@cats.example:${target.port}` }, {}), /credentials/)

  for (const address of [
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '169.254.169.254',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    'fc00::1',
    'fe80::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ]) {
    const { lookup } = resolver(() => [address])
    const outer = defineUpstream(
      'outer',
      { origin: `http://cats.example:${target.port}`, publicOnly: true },
      { word: operation(wordPath) },
    )
    const required = aggregate('required', { url: '/required' })
      .required('part', () => outer.word({ id: 'a' }))
      .reply(z.unknown(), ({ part }) => part)
    const { get } = await stage(t, [required], { lookup })
    const { status, body, text } = await get<Reply>('/required')
    t.match({ status, body }, { status: 502, body: { code: 'ADDRESS_REFUSED' } }, address)
    t.notOk(text.includes(address), 'and the caller is not told where')
  }
  t.equal(target.connections, 0, 'no address was dialled')
}

/** A name that is public when it is looked at and private when it is dialled. */
export async function rebound(t: Test): Promise<void> {
  const target = await rawUpstream(t, well)
  for (const later of [['127.0.0.1'], ['203.0.114.7', '127.0.0.1'], ['127.0.0.1', '203.0.114.7']]) {
    const { lookup, asked } = resolver((_, ask) => (ask === 0 ? notFound('ENOTFOUND') : later))
    const outer = defineUpstream(
      'outer',
      { origin: `http://cats.example:${target.port}`, publicOnly: true, retry: false, breaker: false },
      { word: operation(wordPath) },
    )
    const required = aggregate('required', { url: '/required' })
      .required('part', () => outer.word({ id: 'a' }))
      .reply(z.unknown(), ({ part }) => part)
    const { get } = await stage(t, [required], { lookup })
    t.match(await get('/required'), { status: 502, body: { code: 'UPSTREAM_UNREACHABLE' } })
    await elapsed(kept + 50)
    for (let times = 0; times < 3; times++)
      t.match(await get('/required'), { status: 502, body: { code: 'ADDRESS_REFUSED' } }, later.join())
    t.equal(asked.length, 2)
  }
  t.equal(target.connections, 0, 'no address was dialled')
}
