import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'
import { within } from '../helpers/until.ts'
import { isExact } from '../helpers/timing.ts'

const times = 100
const concurrency = 4
/**
 * From the moment the caller goes to the moment an upstream sees it, in ms; ten times that where other tests share the
 * machine.
 */
const bound = isExact ? 50 : 500

const answers = {
  'catfact-ninja': { fact: 'Cats purr.', length: 10 },
  meowfacts: { data: ['Cats sleep.'] },
  'the-cat-api': [{ id: 'a', url: 'https://example.org/a.jpg', width: 10, height: 10 }],
}
type Name = keyof typeof answers
const names = Object.keys(answers) as Name[]

test('when the caller closes the connection, calls in flight are aborted and queued calls are not sent', async t => {
  let isHolding = false
  /** Connections with a request that is not answered. */
  const held = new Set<Socket>()
  const upstreams = Object.fromEntries(
    await Promise.all(
      names.map(
        async name =>
          [
            name,
            await rawUpstream(t, socket => {
              if (!isHolding) return socket.write(json(answers[name]))
              held.add(socket)
            }),
          ] as const,
      ),
    ),
  ) as Record<Name, Awaited<ReturnType<typeof rawUpstream>>>
  const seen = () => names.map(name => upstreams[name].requests.length)

  const { port, get } = await serveApp(t, {
    overrides: Object.fromEntries(
      names.map(name => [name, { origin: upstreams[name].origin, ...(name === 'catfact-ninja' && { concurrency }) }]),
    ),
  })

  const delays: number[] = []
  const leftovers: string[] = []
  for (let time = 0; time < times; time++) {
    isHolding = true
    held.clear()
    const before = seen()
    const caller = connect(port, '127.0.0.1')
    await once(caller, 'connect')
    caller.write('GET /v1/cat-facts?count=50 HTTP/1.1\r\nhost: a\r\n\r\n')
    // All that can be on the wire is: what else there is waits, for a permit or for its turn within the step.
    const onWire = [concurrency, 1, 1]
    await Promise.all(
      names.map((name, index) => upstreams[name].asked((before[index] as number) + (onWire[index] as number))),
    )

    const closes = [...held].map(async socket => {
      if (!socket.closed) await once(socket, 'close')
      return performance.now()
    })
    const gone = performance.now()
    caller.destroy()
    const closed = await within(5000, Promise.all(closes))
    if (closed === undefined) {
      t.fail(`time ${time}: a connection is still open after five seconds`)
      return
    }
    delays.push(Math.max(...closed) - gone)

    // The proof of quiet: a whole request behind it, for whose own calls alone the counts rise.
    isHolding = false
    const { status, body } = await get<{ complete: boolean }>('/v1/cat-facts?count=2')
    const rise = seen()
      .map((count, index) => count - (before[index] as number) - (onWire[index] as number))
      .join()
    if (status !== 200 || !body.complete || rise !== '2,1,1') leftovers.push(`time ${time}: ${status}, calls ${rise}`)
  }

  delays.sort((a, b) => a - b)
  t.comment(`closed after: median ${delays[times / 2]?.toFixed(1)} ms, worst ${delays.at(-1)?.toFixed(1)} ms`)
  t.equal(delays.length, times)
  t.same(
    delays.filter(delay => delay >= bound),
    [],
    `each of ${times} times within ${bound} ms`,
  )
  t.same(leftovers, [], 'and never was a call sent that had waited')
})

test('a caller that closes the connection within its request starts no run', async t => {
  const ninja = await rawUpstream(t, json(answers['catfact-ninja']))
  const { port, get } = await serveApp(t, { overrides: { 'catfact-ninja': { origin: ninja.origin } } })
  const caller = connect(port, '127.0.0.1')
  await once(caller, 'connect')
  caller.end('GET /v1/cat-facts?count=5 HTTP/1.1\r\nhost: a\r\n')
  await new Promise<void>(resolve => {
    caller
      .resume()
      .on('error', () => {})
      .once('close', () => resolve())
  })
  await get('/v1/cat-facts?count=1')
  t.equal(ninja.requests.length, 1)
})

test('a caller that closes the connection is not a failure of the service', async t => {
  const lines: string[] = []
  const ninja = await rawUpstream(t, () => {})
  const { port, app } = await serveApp(t, {
    overrides: { 'catfact-ninja': { origin: ninja.origin } },
    logger: {
      level: 'warn',
      stream: {
        write: (line: string) => {
          lines.push(line)
        },
      },
    },
  })
  const caller = connect(port, '127.0.0.1')
  await once(caller, 'connect')
  caller.write('GET /v1/cat-facts?count=1 HTTP/1.1\r\nhost: a\r\n\r\n')
  await ninja.asked(1)
  caller.destroy()
  await ninja.deserted()
  await app.close()
  t.same(lines, [], 'nothing is logged as a warning or an error')
})
