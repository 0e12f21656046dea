import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { test, type Test } from 'tap'
import { Connection } from '../../src/dashboard/model/connection.ts'
import type { Phase } from '../../src/dashboard/model/phase.ts'
import type { Bye, DashboardEvent } from '../../src/dashboard/protocol.ts'
import { documentedPhases } from '../helpers/documented-phases.ts'
import { handTimers } from '../helpers/hand-timers.ts'

const hello = { type: 'hello', version: '0.1.0' }
const sample = { type: 'sample', at: 1 }

/** One request of the page, which the test answers. */
class Try {
  readonly headers: Headers
  readonly signal: AbortSignal | null | undefined
  readonly #answer = Promise.withResolvers<Response>()
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor({ headers, signal }: RequestInit) {
    this.headers = new Headers(headers)
    this.signal = signal
    signal?.addEventListener('abort', () => {
      this.#answer.reject(signal.reason)
      this.#controller?.error(signal.reason)
    })
  }

  get answered(): Promise<Response> {
    return this.#answer.promise
  }

  async status(status: number): Promise<void> {
    this.#answer.resolve(new Response('{}', { status }))
    await turn()
  }

  async fail(): Promise<void> {
    if (this.#controller === undefined) this.#answer.reject(new TypeError('fetch failed'))
    else this.#controller.error(new TypeError('network error'))
    await turn()
  }

  async send(...events: readonly object[]): Promise<void> {
    if (this.signal?.aborted === true) return
    this.#begin()
    for (const event of events) this.#controller?.enqueue(Buffer.from(`event: x\ndata: ${JSON.stringify(event)}\n\n`))
    await turn()
  }

  async end(): Promise<void> {
    this.#controller?.close()
    await turn()
  }

  #begin(): void {
    if (this.#controller !== undefined) return
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        this.#controller = controller
      },
    })
    this.#answer.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  }
}

function opened(t?: Test) {
  let key: string | undefined
  const timers = handTimers(1_000_000)
  const tries: Try[] = []
  const phases: Phase[] = []
  const events: DashboardEvent[] = []
  const connection = new Connection({
    url: '/dashboard/events',
    fetch: (_url, init) => {
      const made = new Try(init)
      tries.push(made)
      return made.answered
    },
    key: {
      read: () => key,
      write: value => {
        key = value
      },
      forget: () => {
        key = undefined
      },
    },
    timers,
    onEvent: event => events.push(event),
    onPhase: phase => phases.push(phase),
  })
  connection.open()
  const last = () => {
    const made = tries.at(-1)
    if (made === undefined) throw new Error('the page has sent no request')
    return made
  }
  t?.teardown(() => connection.lock())
  return { connection, timers, tries, phases, events, last, name: () => connection.phase.name, keyOf: () => key }
}

test('a connection is live with its first event', async t => {
  const { last, phases, events, connection, timers } = opened(t)
  t.equal(last().headers.get('accept'), 'text/event-stream')
  t.equal(last().headers.get('authorization'), null)
  await last().send(hello, sample)
  t.same(phases, [{ name: 'connecting' }, { name: 'live' }])
  t.same(events, [hello, sample])
  t.equal(connection.lastEventAt, timers.now())
  t.equal(timers.size, 1, 'one timer watches for silence, and events set no other')
})

test('a connection that is silent for three seconds is lost, and opened again', async t => {
  const { last, timers, tries, connection, name } = opened(t)
  await last().send(hello)
  for (let left = 10; left > 0; left--) {
    timers.pass(2900)
    await last().send(sample)
  }
  t.equal(name(), 'live')
  const heard = timers.now()
  timers.pass(3000)
  t.match(connection.phase, {
    name: 'waiting',
    reason: 'the service has sent nothing for 3 s',
    tryAt: timers.now() + 1000,
  })
  t.equal(connection.lastEventAt, heard)
  t.equal(tries[0]?.signal?.aborted, true, 'the silent request is cancelled')
  timers.pass(1000)
  t.match(connection.phase, { name: 'lost', reason: 'the service has sent nothing for 3 s' })
  t.equal(tries.length, 2)
  await last().send(hello)
  t.equal(name(), 'live')
})

test('a first event may take fifteen seconds', async t => {
  const { timers, name } = opened(t)
  timers.pass(14_999)
  t.equal(name(), 'connecting')
  timers.pass(1)
  t.equal(name(), 'waiting')
})

test('the pauses between tries grow to fifteen seconds and are short again after a first event', async t => {
  const { last, timers, connection } = opened(t)
  const pauses: number[] = []
  const pause = async () => {
    await last().fail()
    const { phase } = connection
    const ms = phase.name === 'waiting' ? phase.tryAt - timers.now() : NaN
    pauses.push(ms)
    timers.pass(ms)
  }
  for (let left = 6; left > 0; left--) await pause()
  t.same(pauses, [1000, 2000, 4000, 8000, 15_000, 15_000])
  await last().send(hello)
  await pause()
  t.equal(pauses.at(-1), 1000)
})

test('a lost connection has the reason in words', async t => {
  const { last, timers, connection, tries } = opened(t)
  const reasonAfter = async (action: () => Promise<void>) => {
    const before = tries.length
    await action()
    const { phase } = connection
    timers.pass(15_000)
    t.equal(tries.length, before + 1)
    return phase.name === 'waiting' ? phase.reason : phase.name
  }
  const bye = (reason: Bye['reason']) => ({ type: 'bye', reason })
  t.equal(await reasonAfter(() => last().fail()), 'the service does not answer')
  t.equal(await reasonAfter(() => last().status(500)), 'the service answered 500')
  t.match(await reasonAfter(() => last().status(503)), 'the service answered 503: it serves only a few dashboards')
  t.equal(await reasonAfter(() => last().send(hello, bye('draining'))), 'the service is stopping')
  t.equal(await reasonAfter(() => last().send(bye('full'))), 'other dashboards have all places')
  await last().send(hello)
  t.equal(await reasonAfter(() => last().end()), 'the service ended the connection')
})

test('the user can try before the pause has ended', async t => {
  const { last, timers, tries, connection } = opened(t)
  await last().send(hello)
  await last().fail()
  connection.open()
  t.equal(tries.length, 2)
  timers.pass(1000)
  t.equal(tries.length, 2, 'the try of the pause is not made too')
})

test('a service that requires a key locks the page until it has the right one', async t => {
  const { last, connection, phases, tries, timers, keyOf } = opened(t)
  await last().status(401)
  t.same(phases.at(-1), { name: 'locked', isRefused: false })
  timers.pass(600_000)
  t.equal(tries.length, 1, 'a locked page makes no tries of its own')
  connection.unlock('wrong')
  t.equal(last().headers.get('authorization'), 'Bearer wrong')
  await last().status(401)
  t.same(phases.at(-1), { name: 'locked', isRefused: true })
  t.equal(keyOf(), undefined, 'a refused key is forgotten')
  connection.unlock('right')
  await last().send(hello)
  t.equal(connection.phase.name, 'live')
  const read = connection.request('/requests/7e1a', 'application/json')
  t.equal(last().headers.get('authorization'), 'Bearer right')
  await last().status(200)
  t.equal((await read).status, 200)
  connection.lock()
  t.equal(keyOf(), undefined)
  t.equal(connection.phase.name, 'locked')
  t.equal(tries[2]?.signal?.aborted, true, 'the connection that was opened with the key is closed')
})

test('a key that no header can have is refused without a request, and is not kept', async t => {
  const { last, connection, tries, keyOf } = opened(t)
  await last().status(401)
  for (const key of ['schlüssel-🗝', 'two\nlines', '\u007f']) {
    connection.unlock(key)
    t.same(connection.phase, { name: 'locked', isRefused: true }, key)
    t.equal(keyOf(), undefined)
  }
  t.equal(tries.length, 1)
  connection.unlock('schlüssel')
  t.equal(last().headers.get('authorization'), 'Bearer schlüssel')
})

test('requests that were sent with a key end when it is forgotten or refused', async t => {
  const { last, connection } = opened(t)
  const events = last()
  connection.request('/requests', 'application/json').catch(() => {})
  const first = last()
  connection.lock()
  t.equal(first.signal?.aborted, true)
  connection.unlock('key')
  const next = last()
  t.not(next, events)
  connection.request('/requests', 'application/json').catch(() => {})
  const second = last()
  t.equal(second.signal?.aborted, false)
  await next.status(401)
  t.equal(second.signal?.aborted, true)
})

test('a service without the dashboard is not asked again', async t => {
  const { last, timers, tries, name, connection } = opened(t)
  await last().status(404)
  t.equal(name(), 'off')
  timers.pass(600_000)
  t.equal(tries.length, 1)
  connection.open()
  t.equal(tries.length, 2, 'the user can ask')
})

test('a page that is hidden for a minute closes its connection, and opens it when it is seen', async t => {
  const { last, timers, tries, name, connection } = opened(t)
  await last().send(hello)
  connection.hide()
  for (let left = 59; left > 0; left--) {
    timers.pass(1000)
    await last().send(sample)
  }
  connection.show()
  t.equal(tries.length, 1, 'a page that is seen in time keeps its connection')
  connection.hide()
  for (let left = 59; left > 0; left--) {
    timers.pass(1000)
    await last().send(sample)
  }
  timers.pass(1000)
  t.equal(name(), 'hidden')
  t.equal(tries[0]?.signal?.aborted, true)
  t.equal(timers.size, 0)
  connection.show()
  t.equal(tries.length, 2)
})

test('a service of another version asks for a reload of the page', async t => {
  const { last, timers, tries, name, events } = opened(t)
  await last().send(hello)
  await last().fail()
  timers.pass(1000)
  await last().send({ ...hello, version: '0.2.0' })
  t.equal(name(), 'outdated')
  t.equal(events.length, 1, 'the events of the other version are not read')
  timers.pass(600_000)
  t.equal(tries.length, 2)
})

test('an event of a connection that was closed is dropped', async t => {
  const { connection, last, events } = opened(t)
  const first = last()
  await first.send(hello)
  connection.open()
  await last().send(hello)
  await first.send(sample)
  t.equal(events.length, 2)
})

/** The things that happen to a connection, each with the state of a page. */
const happenings: Readonly<Record<string, (made: ReturnType<typeof opened>) => unknown>> = {
  hello: ({ last }) => last().send(hello),
  otherVersion: ({ last }) => last().send({ ...hello, version: '0.2.0' }),
  draining: ({ last }) => last().send({ type: 'bye', reason: 'draining' }),
  failure: ({ last }) => last().fail(),
  refused: ({ last }) => last().status(401),
  absent: ({ last }) => last().status(404),
  broken: ({ last }) => last().status(500),
  second: ({ timers }) => timers.pass(1000),
  minute: ({ timers }) => timers.pass(60_000),
  hide: ({ connection }) => connection.hide(),
  show: ({ connection }) => connection.show(),
  tryNow: ({ connection }) => connection.open(),
  unlock: ({ connection }) => connection.unlock('key'),
  lock: ({ connection }) => connection.lock(),
}

test('the phases of a connection follow each other only as the table of docs/design.md says', async t => {
  const table = new Map(await documentedPhases("The phases of the page's connection"))
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(happenings)), { maxLength: 30 }), async names => {
      const made = opened()
      for (const name of names) {
        const { name: phase } = made.connection.phase
        // The page offers these only in some phases.
        if (name === 'tryNow' && phase !== 'waiting' && phase !== 'off') continue
        if (name === 'unlock' && phase !== 'locked') continue
        if (name === 'lock' && ['locked', 'off', 'outdated', 'hidden'].includes(phase)) continue
        await happenings[name]?.(made)
      }
      made.connection.lock()
      const phases = made.phases.slice(0, -1).map(({ name }) => name)
      return phases.slice(1).every((next, index) => {
        const from = phases[index] ?? ''
        seen.add(from).add(next)
        return from === next || (table.get(from)?.includes(next) ?? false)
      })
    }),
    { numRuns: 400 },
  )
  t.same(Array.from(seen).toSorted(), Array.from(table.keys()).toSorted(), 'every phase of the table was seen')
})
