import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import tap, { test } from 'tap'
import { workersService } from './cluster/helpers/workers-service.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

const sse = { accept: 'text/event-stream' }

/** Asks over a connection of its own, so that the workers take turns. */
async function ask(url: string, headers: Readonly<Record<string, string>>) {
  const [response] = (await once(request(url, { agent: false, headers }).end(), 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}

test('any worker knows whether the stream of another has ended, and repeats a cut one once', async t => {
  const { origin } = await workersService(t)
  const workers = new Set<number>()
  const first = await ask(`${origin}/who`, sse)
  const end = /id: (\S+\.end)\n/.exec(first.body)?.[1] as string
  const plan = /id: (\S+\.1\.1)\n/.exec(first.body)?.[1] as string
  for (let time = 0; time < 6; time++) {
    t.equal((await ask(`${origin}/who`, { ...sse, 'last-event-id': end })).status, 204)
    const { body } = await ask(`${origin}/who`, { ...sse, 'last-event-id': plan })
    workers.add(Number(/"pid":(\d+)/.exec(body)?.[1]))
    const again = /id: (\S+\.2\.1)\n/.exec(body)?.[1] as string
    t.equal(again.split('.')[0], plan.split('.')[0])
    t.equal((await ask(`${origin}/who`, { ...sse, 'last-event-id': again })).status, 204)
  }
  t.equal(workers.size, 2, 'both workers have answered')
})

test('a rolling restart lets streams end', async t => {
  const { origin, stop, upstream, answers, said } = await workersService(t)
  // The workers take turns, so each has a stream.
  const streams: Promise<string>[] = []
  for (const count of [1, 2]) {
    const asking = request(`${origin}/hung`, { agent: false, headers: { accept: 'application/x-ndjson' } }).end()
    streams.push(once(asking, 'response').then(([response]) => text(response as IncomingMessage)))
    await upstream.asked(count)
  }
  stop('SIGUSR2')
  await said('draining')
  for (const answer of answers) answer()
  for (const stream of await Promise.all(streams))
    t.match(stream, /^\{"event":"plan".*\n(?:.*\n)*\{"event":"reply".*\n$/)
  await said('rolling restart completed')
})
