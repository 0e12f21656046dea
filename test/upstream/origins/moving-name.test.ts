import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import type { OriginOptions } from '../../../src/upstream/spec/origin-options.ts'
import { testRun } from '../../helpers/call.ts'
import { dnsServer } from '../../helpers/dns-server.ts'
import { declareCats } from '../../helpers/origin-list.ts'
import { isExact } from '../../helpers/timing.ts'
import { elapsed, until } from '../../helpers/until.ts'

const callsPerSecond = 100
/** The time between two moves: more than the time to live of the records, in ms. */
const moveMs = 1200
/** The limit on the time from a move to the first call to the new server, in ms. */
const followMs = isExact ? 2000 : 6000
/** The time after a move at which the previous server accepts no more connections, in ms. */
const stopMs = followMs + 1000

/** One place of the service: a server on an address of loopback. */
interface Place {
  readonly address: string
  readonly port: number
  /** The time of its first request, in ms. */
  readonly askedAt: number | undefined
  /** Accepts no more connections. Requests in flight are answered. */
  stop(): void
}

/** Starts a server that answers after 10 ms; every twentieth request after 2 s. */
async function startPlace(t: Test, address: string, port: number): Promise<Place> {
  let requests = 0
  let askedAt: number | undefined
  const server: Server = createServer((_request, response) => {
    askedAt ??= performance.now()
    setTimeout(
      () => response.setHeader('content-type', 'application/json').end('1'),
      requests++ % 20 === 19 ? 2000 : 10,
    )
  })
  server.listen(port, address)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    address,
    port: (server.address() as AddressInfo).port,
    get askedAt() {
      return askedAt
    },
    stop: () => void server.close(),
  }
}

interface Move {
  /** The places of the service, in the order of the moves. */
  readonly places: readonly Place[]
  /** Sets the records of the name to a place. */
  readonly moveTo: (place: Place) => void
  readonly origin: OriginOptions
  readonly dnsServer: string
}

/** Moves the service from place to place under load, and checks that no call fails. */
async function checkMoves(t: Test, { places, moveTo, origin, dnsServer }: Move): Promise<void> {
  const [first, ...others] = places as readonly [Place, ...Place[]]
  moveTo(first)
  const cats = declareCats([origin], { attemptTimeout: 20_000 })
  const runtime = createRuntime({ dnsServers: [dnsServer] })
  t.teardown(() => runtime.close())
  const calls: Promise<unknown>[] = []
  const failures: unknown[] = []
  const startedAt = performance.now()
  const load = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * callsPerSecond
    for (let id = calls.length; id < due; id++)
      calls.push(
        runtime.send(testRun().ask(cats.cat({ id: String(id) }))).catch((error: unknown) => {
          failures.push(error)
        }),
      )
  }, 5)
  t.teardown(() => clearInterval(load))

  await until(() => first.askedAt !== undefined)
  const stops: Promise<void>[] = []
  let previous = first
  let movedAt = performance.now()
  for (const place of others) {
    await elapsed(movedAt + moveMs - performance.now())
    movedAt = performance.now()
    moveTo(place)
    const left = previous
    stops.push(elapsed(stopMs).then(() => left.stop()))
    await until(() => place.askedAt !== undefined)
    const ms = (place.askedAt as number) - movedAt
    t.ok(ms <= followMs, `${place.address}:${place.port} got its first call ${Math.round(ms)} ms after the move`)
    previous = place
  }
  await Promise.all(stops)
  clearInterval(load)
  await Promise.all(calls)
  t.same(failures, [], `${calls.length} calls`)
  t.same(
    runtime.stats()['cats']?.origins?.map(({ origin: label }) => label),
    [`${previous.address}:${previous.port}`],
  )
}

test('no call fails while a name moves ten times', { timeout: 60_000 }, async t => {
  const places = [await startPlace(t, '127.0.0.11', 0)]
  const port = places[0]?.port as number
  for (let at = 12; at <= 21; at++) places.push(await startPlace(t, `127.0.0.${at}`, port))
  const dns = await dnsServer(t)
  await checkMoves(t, {
    places,
    moveTo: ({ address }) => dns.set('cats.example', { A: [address], ttl: 1 }),
    origin: { origin: `http://cats.example:${port}`, addresses: true },
    dnsServer: dns.address,
  })
})

test('no call fails while SRV records move three times', { timeout: 60_000 }, async t => {
  const places: Place[] = []
  for (let at = 31; at <= 34; at++) places.push(await startPlace(t, `127.0.0.${at}`, 0))
  const dns = await dnsServer(t)
  await checkMoves(t, {
    places,
    moveTo({ address, port }) {
      const target = `at-${port}.cats.example`
      dns.set(target, { A: [address], ttl: 1 })
      dns.set('_http._tcp.cats.example', { SRV: [{ port, name: target }], ttl: 1 })
    },
    origin: { origin: 'http://cats.example', srv: '_http._tcp.cats.example' },
    dnsServer: dns.address,
  })
})
